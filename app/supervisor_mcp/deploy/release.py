"""The order of releases: which of two is older, and what an older one may do to a database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from supervisor_mcp.deploy.errors import DeployError

if TYPE_CHECKING:
    from supervisor_mcp.deploy.ledger import Ledger
    from supervisor_mcp.deploy.tree import Tree


class Older(Enum):
    """What to do with a database that a newer release has deployed."""

    REFUSE = "refuse"
    # Work with the functions and policies of the newer release.
    LEAVE = "leave"
    # Put back the functions and policies of this release.
    DEPLOY = "deploy"


@dataclass(frozen=True)
class Release:
    """A version of the package, and the digest of its sql/."""

    version: str
    sha256: str

    def is_older_than(self, other: Release) -> bool:
        """Whether the version is lower. Raises DeployError when one of the two is no version."""
        return _parse(self.version) < _parse(other.version)


def installed_version() -> str:
    """The version of this package."""
    return metadata.version("supervisor-mcp")


def refuse_missing(release: Release, tree: Tree, standing: Ledger) -> None:
    """Raise DeployError when the database has migrations that this release cannot work with."""
    for name, ran in standing.missing(tree).items():
        if not ran.additive:
            raise DeployError(
                f"release {ran.version} has run migrations/{name} here, which release"
                f" {release.version} lacks and cannot work with: start release {ran.version} or a"
                " newer one, or restore a backup from before it"
            )


def leaves(release: Release, current: Release, older: Older) -> bool:
    """Whether this release is older than the current one and leaves its work as it is.

    Raises DeployError when it is older and that is refused.
    """
    if not release.is_older_than(current):
        return False
    if older is Older.REFUSE:
        raise DeployError(
            f"release {current.version} has deployed this database, and this is release"
            f" {release.version}: deploy release {current.version} or a newer one, or go back with"
            " `supervisor-mcp deploy --allow-older`"
        )
    return older is Older.LEAVE


def _parse(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion as error:
        raise DeployError(f"{version!r} is not the version of a release") from error

"""Everything in a database as files, and back: from one server to another."""

from __future__ import annotations

from supervisor_mcp.exports.dump import export
from supervisor_mcp.exports.errors import ExportError
from supervisor_mcp.exports.load import is_deployed, load
from supervisor_mcp.exports.manifest import Manifest, read

__all__ = ["ExportError", "Manifest", "export", "is_deployed", "load", "read"]

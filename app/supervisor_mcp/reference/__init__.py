"""Files generated from a deployed database: the schema snapshot and the SQL reference."""

from __future__ import annotations

from supervisor_mcp.reference.files import drift, generate
from supervisor_mcp.reference.remarks import undocumented

__all__ = ["drift", "generate", "undocumented"]

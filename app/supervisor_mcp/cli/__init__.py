"""The command supervisor-mcp."""

from __future__ import annotations

from supervisor_mcp.cli.main import main

__all__ = ["main"]

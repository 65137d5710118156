"""The command supervisor-mcp."""

from __future__ import annotations

from app.cli.main import main

__all__ = ["main"]

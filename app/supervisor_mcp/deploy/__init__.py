"""Bring a database up to date with sql/: all of it or nothing, once."""

from __future__ import annotations

from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.logins import login_of, owner_among
from supervisor_mcp.deploy.release import Older
from supervisor_mcp.deploy.run import Report, deploy
from supervisor_mcp.deploy.tree import shipped_sql_dir

__all__ = ["DeployError", "Older", "Report", "deploy", "login_of", "owner_among", "shipped_sql_dir"]

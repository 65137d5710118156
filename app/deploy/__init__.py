"""Bring a database to what stands in sql/: all of it or nothing, once."""

from __future__ import annotations

from app.deploy.failure import DeployError
from app.deploy.lockfile import extend as extend_lock
from app.deploy.run import Report, deploy
from app.deploy.tree import shipped_sql_dir

__all__ = ["DeployError", "Report", "deploy", "extend_lock", "shipped_sql_dir"]

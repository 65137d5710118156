"""Real series, their incidents, real facts and real servers."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.repository import ROOT

FOLDER = Path(os.environ.get("SUPERVISOR_REAL_INPUT", ROOT / "tests" / "real_input"))
METRICS = FOLDER / "metrics"
INCIDENTS = METRICS / "incident_windows.json"
FACTS = FOLDER / "facts_commits.ndjson"
SERVERS = FOLDER / "mcp_servers.json"

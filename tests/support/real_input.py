"""Real series, their incidents and real facts."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.repository import ROOT

FOLDER = Path(os.environ.get("SUPERVISOR_REAL_INPUT", ROOT / "tests" / "real_input"))
METRICS = FOLDER / "metrics"
INCIDENTS = METRICS / "incident_windows.json"
FACTS = FOLDER / "facts_commits.ndjson"

"""Patterns of names, as sql/ enforces them and OpenAPI and MCP publish them."""

from __future__ import annotations

from typing import Final

METRIC_NAME: Final = "^[A-Za-z_][A-Za-z0-9_.:/-]{0,199}$"
FACT_KIND: Final = "^Fact:[A-Za-z][A-Za-z0-9_.]{0,99}$"
WINDOW: Final = "^[1-9][0-9]{0,3}[hd]$"
STEP: Final = "^[1-9][0-9]{0,3}[smhd]$"
GROUP_BY: Final = r"^(source|label\.[A-Za-z_][A-Za-z0-9_.]{0,99})$"

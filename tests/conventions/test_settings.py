from __future__ import annotations

import re

import pytest
from pydantic_core import PydanticUndefined

from supervisor_mcp.config import Settings
from tests.support.repository import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `SUPERVISOR_(\w+)` \| (.+?) \|", README, flags=re.MULTILINE))


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_stands_in_the_readme_with_its_default(field: str) -> None:
    default = Settings.model_fields[field].default
    assert field.upper() in ROWS
    if default not in (None, PydanticUndefined):
        assert ROWS[field.upper()] == f"`{default}`"


def test_the_readme_names_no_setting_that_is_not_read() -> None:
    assert {name.lower() for name in ROWS} == set(Settings.model_fields)
    named = set(re.findall(r"SUPERVISOR_([A-Z_]+[A-Z])", README))
    assert {name.lower() for name in named} <= set(Settings.model_fields)

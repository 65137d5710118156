"""docs/settings.md lists every setting with its default, and documents name no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from supervisor_mcp.config import Settings
from tests.conventions.documents import DOCUMENTS
from tests.support.repository import ROOT

SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `SUPERVISOR_(\w+)` \| (.+?) \|", SETTINGS, flags=re.MULTILINE))
TEST_SETTINGS = {"TEST_DATABASE_URL", "TEST_POSTGRES_BIN"}


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(field: str) -> None:
    default = Settings.model_fields[field].default
    assert field.upper() in ROWS
    if default not in (None, PydanticUndefined):
        assert ROWS[field.upper()] == f"`{default}`"


def test_no_other_setting_is_documented() -> None:
    assert {name.lower() for name in ROWS} == set(Settings.model_fields)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_only_settings_that_exist(document: Path) -> None:
    named = set(re.findall(r"SUPERVISOR_([A-Z_]+[A-Z])", document.read_text(encoding="utf-8")))
    assert named <= {field.upper() for field in Settings.model_fields} | TEST_SETTINGS

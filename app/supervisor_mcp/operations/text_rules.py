"""Rules of texts as JSON Schema; `make generate` writes them from internal.text_rules."""

from __future__ import annotations

from typing import Any, Final

ALERT_RULE_NAME: Final[dict[str, Any]] = {
    "pattern": "^[A-Za-z_][A-Za-z0-9_.:-]*$",
    "maxLength": 200,
}

CURSOR: Final[dict[str, Any]] = {
    "pattern": "^([2-7][0-9a-f])+$",
    "maxLength": 1000,
}

DURATION: Final[dict[str, Any]] = {
    "pattern": "^(0|[1-9][0-9]{0,3})[smhd]$",
    "maxLength": 5,
}

FACT_ID: Final[dict[str, Any]] = {
    "pattern": "^[^\u0001-\u001f\u007f-\u009f]+$",
    "maxLength": 200,
}

FACT_KIND: Final[dict[str, Any]] = {
    "pattern": "^Fact:[A-Za-z][A-Za-z0-9_.]*$",
    "maxLength": 105,
}

GROUP_BY: Final[dict[str, Any]] = {
    "pattern": "^(source|label\\.[A-Za-z_][A-Za-z0-9_.]*)$",
    "maxLength": 106,
}

IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "pattern": "^[^\u0001- \u007f-\u00a0]+$",
    "maxLength": 200,
}

IDENTIFIER: Final[dict[str, Any]] = {
    "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
    "maxLength": 200,
}

KEY_ID: Final[dict[str, Any]] = {
    "pattern": "^[a-z0-9]{8}$",
    "maxLength": 8,
}

LABEL_NAME: Final[dict[str, Any]] = {
    "pattern": "^[A-Za-z_][A-Za-z0-9_.]*$",
    "maxLength": 100,
}

METRIC_NAME: Final[dict[str, Any]] = {
    "pattern": "^[A-Za-z_][A-Za-z0-9_.:/-]*$",
    "maxLength": 200,
}

NAMESPACE: Final[dict[str, Any]] = {
    "pattern": "^([a-z0-9][a-z0-9-]*)?$",
    "maxLength": 63,
}

OWNER: Final[dict[str, Any]] = {
    "pattern": "^[^\u0001-\u001f\u007f-\u009f]+$",
    "maxLength": 200,
}

SERVER_NAME: Final[dict[str, Any]] = {
    "pattern": "^([.]*[A-Za-z0-9-][A-Za-z0-9.-]*/)?[.]*[A-Za-z0-9_-][A-Za-z0-9._-]*$",
    "maxLength": 200,
}

SOURCE_NAME: Final[dict[str, Any]] = {
    "pattern": "^[^\u0001- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$",
    "maxLength": 200,
}

STEP: Final[dict[str, Any]] = {
    "pattern": "^[1-9][0-9]{0,3}[smhd]$",
    "maxLength": 5,
}

TAG: Final[dict[str, Any]] = {
    "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:/-]*$",
    "maxLength": 100,
}

UNIT: Final[dict[str, Any]] = {
    "pattern": "^[^\u0001-\u001f\u007f-\u009f]+$",
    "maxLength": 50,
}

WINDOW: Final[dict[str, Any]] = {
    "pattern": "^[1-9][0-9]{0,3}[hd]$",
    "maxLength": 5,
}

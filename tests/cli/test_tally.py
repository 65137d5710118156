from __future__ import annotations

import json
import time

import pytest

from supervisor_mcp.cli.client import Client
from supervisor_mcp.cli.failure import FAILED, Failure
from supervisor_mcp.cli.ingest import METRICS, Row, Tally, ingest
from tests.support.command_line import Service


def test_the_first_rejected_rows_are_listed_and_the_others_counted(
    service: Service, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    values = [1, *["high"] * 12]
    rows = [
        Row(
            f"x:{number}",
            METRICS,
            json.dumps({"name": name, "source": "me", "value": value, "ts": time.time()}).encode(),
        )
        for number, value in enumerate(values)
    ]
    tally = Tally()
    with Client(service.url) as client:
        ingest(client, rows, tally)
    tally.print_reasons()
    with pytest.raises(Failure) as failed:
        tally.raise_if_rejected()
    assert failed.value.status == FAILED
    assert failed.value.detail == "12 of 13 rows were rejected; the others are stored."
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "… and 2 more."

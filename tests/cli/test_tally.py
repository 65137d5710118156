from __future__ import annotations

import json
import time

import pytest

from supervisor_mcp.cli.client import Client
from supervisor_mcp.cli.failure import FAILED, Failure
from supervisor_mcp.cli.ingest import METRICS, Reason, Row, Tally, ingest
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
    assert failed.value.detail == "12 of 13 rows were rejected; the rest is stored."
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "… and 2 more."


def test_rows_are_those_with_an_answer_and_late_ones_are_among_them() -> None:
    tally = Tally(accepted=1, duplicate=2, conflict=4, late=8, rejected=16)
    assert tally.counts() == {
        "rows": 23,
        "accepted": 1,
        "duplicate": 2,
        "conflict": 4,
        "late": 8,
        "rejected": 16,
    }


def test_receipts_add_up_and_a_row_with_several_faults_is_one() -> None:
    batch = [Row(f"x:{number}", METRICS, b"{}") for number in range(3)]
    faults = [
        {"index": 1, "detail": "No value."},
        {"index": 1, "detail": "No source."},
        {"index": 2, "detail": "No name."},
    ]
    tally = Tally()
    for _ in range(2):
        receipt = {"accepted": 1, "duplicate": 2, "conflict": 3, "late": 4, "rejected": faults}
        tally.count(receipt, batch)
    assert (tally.accepted, tally.duplicate, tally.conflict, tally.late) == (2, 4, 6, 8)
    assert tally.rejected == 4
    assert tally.reasons[:2] == [Reason("x:1", "No value. No source."), Reason("x:2", "No name.")]


def test_ten_reasons_are_all_there_are(capfd: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    for number in range(10):
        tally.reject(f"x:{number}", "No.")
    tally.print_reasons()
    assert capfd.readouterr().err == "".join(f"x:{number}: No.\n" for number in range(10))


def test_conflicts_are_counted_in_a_sentence_and_none_are_not_mentioned(
    capfd: pytest.CaptureFixture[str],
) -> None:
    Tally(accepted=5).print_conflicts()
    assert capfd.readouterr().err == ""
    Tally(conflict=1_234).print_conflicts()
    assert capfd.readouterr().err.startswith("1,234 rows have the series and time of a stored row,")


def test_rejections_fail_and_nothing_else_does() -> None:
    Tally(accepted=1, conflict=1, late=1).raise_if_rejected()
    with pytest.raises(Failure) as failed:
        Tally(rejected=1_234).raise_if_rejected()
    assert failed.value.detail == "All rows were rejected."
    with pytest.raises(Failure) as failed:
        Tally(rejected=1).raise_if_rejected()
    assert failed.value.detail == "The row was rejected."
    with pytest.raises(Failure) as failed:
        Tally(accepted=1, rejected=1_234).raise_if_rejected()
    assert failed.value.detail == "1,234 of 1,235 rows were rejected; the rest is stored."

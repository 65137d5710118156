from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.cli import timestamps
from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.cli.timestamps import Anchor

offsets = st.timedeltas(min_value=timedelta(hours=-14), max_value=timedelta(hours=14)).map(
    lambda delta: timezone(timedelta(minutes=delta // timedelta(minutes=1)))
)
moments = st.datetimes(
    min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31), timezones=offsets
)


@given(moments)
def test_a_time_survives_being_written_and_read(moment: datetime) -> None:
    read = timestamps.read(moment.isoformat(), assume_utc=False)
    assert read is not None
    assert datetime.fromisoformat(timestamps.write(read)) == moment


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)))
def test_a_time_without_an_offset_is_utc_only_where_it_may_be(moment: datetime) -> None:
    written = moment.isoformat(sep=" ")
    assert timestamps.read(written, assume_utc=False) is None
    assert timestamps.read(written, assume_utc=True) == timestamps.read(
        moment.replace(tzinfo=UTC).isoformat(), assume_utc=False
    )


@given(st.integers(min_value=-(10**15), max_value=10**16))
def test_epoch_seconds_are_exact_to_the_microsecond(micros: int) -> None:
    sign = "-" if micros < 0 else ""
    written = f"{sign}{abs(micros) // 10**6}.{abs(micros) % 10**6:06}"
    assert timestamps.read(written, assume_utc=False) == micros


@pytest.mark.parametrize("written", ["", "yesterday", "nan", "1e9", "2024-13-01", "9" * 13])
def test_other_texts_are_not_times(written: str) -> None:
    assert timestamps.read(written, assume_utc=True) is None


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("-62135596800", -62_135_596_800_000_000),
        ("-62135596800.000001", None),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("253402300799.999999", 253_402_300_799_999_999),
        ("253402300800", None),
        ("0001-01-01T00:00:00+00:01", None),
        ("1970-01-01T00:00:00Z", 0),
        ("1.5", 1_500_000),
        ("1.0000019", 1_000_001),
    ],
)
def test_times_are_those_of_the_years_1_to_9999(written: str, instant: int | None) -> None:
    assert timestamps.read(written, assume_utc=False) == instant


def test_now_is_a_whole_second() -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    now = timestamps.now()
    assert now % 10**6 == 0
    assert before <= datetime.fromisoformat(timestamps.write(now)) <= datetime.now(UTC)


def test_anchors_are_in_a_folder_of_this_user(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "imports" / "one.json"
    timestamps.remember(file, Anchor(1, 2))
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_only_the_first_anchor_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "imports" / "one.json"
    assert timestamps.remember(file, Anchor(1, 2)) == (Anchor(1, 2), False)
    assert timestamps.remember(file, Anchor(3, 4)) == (Anchor(1, 2), True)
    assert [path.name for path in file.parent.iterdir()] == ["one.json"]


def test_imports_that_start_at_once_agree_on_one_anchor(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    with ThreadPoolExecutor(8) as pool:
        anchors = list(pool.map(lambda n: timestamps.remember(file, Anchor(n, n))[0], range(32)))
    assert len(set(anchors)) == 1


def test_a_file_that_is_not_an_anchor_is_named(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text("{}")
    with pytest.raises(Failure, match=r"one\.json") as refused:
        timestamps.remember(file, Anchor(1, 2))
    assert refused.value.hint == "Delete the file."


def test_a_folder_that_cannot_be_written_is_answered_with_the_setting(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(Failure, match="file/imports") as refused:
        timestamps.remember(occupied / "imports" / "one.json", Anchor(1, 2))
    assert "SUPERVISOR_DATA_DIR" in str(refused.value.hint)

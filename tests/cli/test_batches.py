from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.cli.ingest import BATCH_BYTES, BATCH_ROWS, FACTS, METRICS, Row, batches

kinds_of_row = st.builds(
    Row,
    place=st.just("x"),
    path=st.sampled_from([METRICS, FACTS]),
    body=st.sampled_from([b"{}", b"x" * 1000, b"x" * (BATCH_BYTES // 3)]),
)


@given(st.lists(kinds_of_row, max_size=60))
def test_every_row_goes_out_once_in_order_in_batches_within_bounds(rows: list[Row]) -> None:
    made = list(batches(rows))
    for path in (METRICS, FACTS):
        assert [row for batch in made for row in batch if row.path == path] == [
            row for row in rows if row.path == path
        ]
    for batch in made:
        assert batch
        assert len({row.path for row in batch}) == 1
        assert len(batch) == 1 or sum(len(row.body) for row in batch) <= BATCH_BYTES


def test_batches_hold_a_thousand_rows_also_where_metrics_and_facts_alternate() -> None:
    rows = [Row(str(n), (METRICS, FACTS)[n % 2], b"{}") for n in range(2 * BATCH_ROWS + 2)]
    assert [len(batch) for batch in batches(rows)] == [BATCH_ROWS, BATCH_ROWS, 1, 1]


def test_a_batch_holds_four_mebibytes_and_no_byte_more() -> None:
    half, more = Row("x", METRICS, b"x" * 2 * 2**20), Row("y", METRICS, b"x" * (2 * 2**20 + 1))
    assert [len(batch) for batch in batches([half, half])] == [2]
    assert [len(batch) for batch in batches([half, more])] == [1, 1]
    assert [len(batch) for batch in batches([half, half, half, half, more])] == [2, 2, 1]


def test_a_batch_holds_a_thousand_rows() -> None:
    assert [len(batch) for batch in batches([Row("x", METRICS, b"{}")] * 1_001)] == [1_000, 1]

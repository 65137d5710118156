"""Which tests try a mutant of SQL."""

from __future__ import annotations

from mutants.reach import Reach
from mutants.warm_tests import Recorded


def recorded(name: str, *called: str, source: str = "") -> Recorded:
    """A test without a server of its own that called these functions, as they were counted."""
    return Recorded(f"tests/sql/{name}", True, 0.1, False, source, frozenset(called))


def test_a_function_that_only_some_callers_inline_is_reached_by_the_tests_of_all() -> None:
    reach = Reach(
        [
            recorded("counted", "internal.signal_health"),
            recorded("inlined", "api.get_health"),
            recorded("other", "api.get_server"),
        ]
    )

    assert reach.tests("sql/functions/internal/signal_health.sql") == [
        "tests/sql/counted",
        "tests/sql/inlined",
    ]


def test_a_function_that_nothing_inlines_is_reached_by_the_tests_that_call_it() -> None:
    reach = Reach(
        [recorded("counted", "internal.next_health"), recorded("near", "internal.record_health")]
    )

    assert reach.tests("sql/functions/internal/next_health.sql") == ["tests/sql/counted"]


def test_a_refusal_which_is_not_counted_is_reached_by_the_name_of_its_file() -> None:
    reach = Reach([recorded("test_stream_facts.py::test_a_refusal"), recorded("other")])

    assert reach.tests("sql/functions/api/stream_facts.sql") == [
        "tests/sql/test_stream_facts.py::test_a_refusal"
    ]


def test_a_refusal_which_is_not_counted_is_reached_by_what_others_of_its_file_call() -> None:
    expects = "with refused(db, 'limit_in_range'):"
    reach = Reach(
        [
            recorded("test_alerts.py::test_a_list", "api.list_active_alerts"),
            recorded("test_alerts.py::test_a_refusal", source=expects),
            recorded("test_alerts.py::test_a_view"),
            recorded("test_other.py::test_a_refusal", source=expects),
        ]
    )

    assert reach.tests("sql/functions/api/list_active_alerts.sql") == [
        "tests/sql/test_alerts.py::test_a_list",
        "tests/sql/test_alerts.py::test_a_refusal",
    ]


def test_a_view_is_reached_by_the_tests_of_all_views() -> None:
    reach = Reach(
        [
            recorded("test_namespaces_of_analysts.py::test_a_bound_login"),
            recorded("test_other.py::test_a"),
        ]
    )

    assert reach.tests("sql/views/analytics/mcp_registry.sql") == [
        "tests/sql/test_namespaces_of_analysts.py::test_a_bound_login"
    ]

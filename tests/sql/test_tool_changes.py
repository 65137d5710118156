"""What has changed between two lists of tools."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import Json, ask


def tool_changes(conn: Connection, before: Sequence[Json], after: Sequence[Json]) -> Json:
    """The answer for two lists."""
    changes: Json = ask(
        conn, "select internal.tool_changes(%s, %s)", Jsonb(list(before)), Jsonb(list(after))
    )
    return changes


def named(*names: str, **more: object) -> list[Json]:
    return [{"name": name, **more} for name in names]


def test_names_of_each_change_come_in_order(db: Connection) -> None:
    before = [*named("x", "kept", "w"), *named("n", "m", description="old")]
    after = [*named("n", "m", description="new"), *named("b", "kept", "a")]

    assert tool_changes(db, before, after) == {
        "added": ["a", "b"],
        "removed": ["w", "x"],
        "changed": ["m", "n"],
    }


def test_nothing_has_changed_between_equal_lists(db: Connection) -> None:
    nothing: Json = {"added": [], "removed": [], "changed": []}

    assert tool_changes(db, named("a", "b"), named("b", "a")) == nothing
    assert tool_changes(db, [], []) == nothing


def test_as_many_names_are_listed_as_fit_a_fact(db: Connection) -> None:
    # A name counts twice its bytes and 4: 100 bytes are 204, of which 294 make 59976.
    names = [f"{n:03}".rjust(100, "n") for n in range(300)]
    rest = named("0" * 10)

    assert tool_changes(db, [], named(*names[:294])) == {
        "added": names[:294],
        "removed": [],
        "changed": [],
    }
    # Exactly 60000, with the name that comes first.
    assert "omitted" not in tool_changes(db, [], [*rest, *named(*names[:294])])
    cut = tool_changes(db, [], [*named("0" * 11), *named(*names[:294])])
    assert (cut["added"][-1], cut["omitted"]) == (names[292], 1)


def test_what_was_added_comes_before_what_was_changed_or_removed(db: Connection) -> None:
    names = [f"{n:03}".rjust(100, "n") for n in range(300)]
    before = [*named("a"), *named(*names[:150], description="old")]
    after = [*named(*names[:150], description="new"), *named(*names[150:])]

    cut = tool_changes(db, before, after)
    assert (cut["added"], cut["removed"]) == (names[150:], [])
    assert cut["changed"] == names[:144]
    assert cut["omitted"] == 7

"""supervisor-mcp kpis: values beside targets, and what is defined."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.documents import put, refusal_lines, say_all
from supervisor_mcp.cli.failure import FAILED, Failure
from supervisor_mcp.cli.parameters import Author, Json, Kpi, Limit, author_of, complete_kpi
from supervisor_mcp.cli.quantities import moment, some_of
from supervisor_mcp.cli.tables import table

OUTCOMES = ("created", "changed", "unchanged", "restored")
MEASURED = ("name", "value", "unit", "previous", "change", "target", "status")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("moved by", "previous", "unit")
SOURCES = ("source", "value", "previous", "contribution", "numerator", "denominator")
DAYS = ("day", "value", "numerator", "denominator")
WINDOW = "7d"
Window = Annotated[str, typer.Option(help="1h, 24h, 7d, 30d, 90d, …")]

kpis = typer.Typer(name="kpis", help="Show, define and delete KPIs.", rich_markup_mode=None)


@kpis.callback(invoke_without_command=True)
def show_all(context: typer.Context, window: Window = WINDOW, as_json: Json = False) -> None:
    """Show all KPIs: value, target, and who moved them; the commands below do more."""
    if context.invoked_subcommand is None:
        query(None, window, as_json)


@kpis.command("query")
def query(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A KPI, with its days and sources; all when absent.",
            metavar="NAME",
            autocompletion=complete_kpi,
        ),
    ] = None,
    window: Window = WINDOW,
    as_json: Json = False,
) -> None:
    """Show KPIs over a window that ends now, beside the window before."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get("/query/kpis", {"window": window, "name": name})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [
        [
            *(each[column] for column in MEASURED[:3]),
            each["previous"]["value"],
            *(each[column] for column in MEASURED[4:]),
            _moved_by(each),
        ]
        for each in result["items"]
    ]
    title = f"KPIs, {window} up to {result['to'][:10]} {result['to'][11:16]} UTC"
    table(title, (*MEASURED, "moved by"), rows, spare=SPARE, framed=False)
    if name is not None:
        _show_parts(result["items"][0])
    if not rows:
        console.say(f"There are no KPIs yet. `{console.command()} kpis define FILE` defines some.")


@kpis.command("list")
def list_definitions(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A KPI with its versions; all when absent.",
            metavar="NAME",
            autocompletion=complete_kpi,
        ),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List what KPIs are defined."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get("/kpis", {"name": name, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    items = result["items"] if name is None else [result]
    columns = ("name", "version", "author", "numerator", "denominator", "unit", "target")
    rows = [
        [
            *(each[column] for column in columns[:3]),
            *(_term(each["document"].get(role)) for role in columns[3:5]),
            *(each["document"].get(column) for column in columns[5:]),
        ]
        for each in items
    ]
    table("KPIs", columns, rows, spare=("author", "version", "unit"), framed=False)
    if name is not None:
        console.write("\n")
        versions = [
            [
                each["version"],
                each["author"],
                moment(each["from"]),
                moment(each["to"]),
                ", ".join(change["field"] for change in each["changes"]),
            ]
            for each in result["versions"]
        ]
        table("Versions", ("version", "author", "from", "to", "changed"), versions, framed=False)
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit.")


@kpis.command("define")
def define(
    file: Annotated[
        str,
        typer.Argument(
            help="A KPI with its name, an array of them, or one a line; - is standard input.",
            metavar="FILE",
        ),
    ],
    author: Author = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Define KPIs, or change them.

    Defining the same KPIs again changes nothing. A KPI without an author gets that of --author.
    Refused ones are listed, and the exit status is 1; the others are defined.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect
    from supervisor_mcp.cli.document_files import read

    outcomes = dict.fromkeys(OUTCOMES, 0)
    refused: list[dict[str, Any]] = []
    with connect() as client:
        for entry in read(file):
            document = entry.document or {}
            name = document.get("name")
            if entry.document is None or not isinstance(name, str) or not name:
                refused.append({"place": entry.place, "detail": entry.fault or "It has no name."})
                continue
            path = f"/kpis/{quote(name, safe='')}"
            outcome = put(client, path, {"author": author_of(author), **document})
            if isinstance(outcome, str):
                outcomes[outcome] += 1
            else:
                refused.append({"place": entry.place, "name": name, **outcome})
    if as_json:
        console.echo(msgspec.json.encode({**outcomes, "refused": refused}))
    else:
        say_all([refusal_lines(each) for each in refused], "refused KPIs")
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        console.write(f"{counts}, {len(refused)} refused\n")
    if refused:
        count = len(refused) + sum(outcomes.values())
        raise Failure(
            f"{some_of(len(refused), count, 'KPI')} not defined.",
            FAILED,
            hint="Correct them and run the command again: what is defined does not change.",
        )


@kpis.command("delete")
def delete(name: Kpi, author: Author = None, as_json: Json = False) -> None:
    """Delete a KPI; its versions stay."""
    from urllib.parse import quote

    from supervisor_mcp.cli.client import accepted, connect

    with connect() as client:
        path = f"/kpis/{quote(name, safe='')}"
        response = client.send("DELETE", path, params={"author": author_of(author)})
        answer = accepted(response).content
    if as_json:
        console.echo(answer)
    else:
        console.write(f"{name} is deleted\n")


def _show_parts(item: dict[str, Any]) -> None:
    sources = [[each[column] for column in SOURCES] for each in item["contributions"]]
    console.write("\n")
    table("Sources", SOURCES, sources, framed=False)
    console.write("\n")
    table("Days", DAYS, [[each[column] for column in DAYS] for each in item["days"]], framed=False)


def _moved_by(item: dict[str, Any]) -> str | None:
    """The source that moved a KPI most."""
    return next((each["source"] for each in item["contributions"] if each["contribution"]), None)


def _term(term: dict[str, Any] | None) -> str | None:
    """What is added up: `sum of Fact:Sale where source=web`."""
    if term is None:
        return None
    where = term.get("where", {})
    conditions = [
        *([f"source={where['source']}"] if "source" in where else []),
        *(f"{name}={value}" for name, value in where.get("labels", {}).items()),
        *(f"has {name}" for name in where.get("has", ())),
    ]
    named = f"{term['statistic']} of {term['kind']}"
    return f"{named} where {', '.join(conditions)}" if conditions else named

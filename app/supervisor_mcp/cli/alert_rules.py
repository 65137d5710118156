"""supervisor-mcp alert-rules: what raises alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.documents import put, refusal_lines, say_all
from supervisor_mcp.cli.failure import FAILED, USAGE, Failure
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import Author, Json, Limit, Rule, author_of
from supervisor_mcp.cli.quantities import age, moment, some_of
from supervisor_mcp.cli.tables import table
from supervisor_mcp.cli.threshold import suggest_threshold

OUTCOMES = ("created", "changed", "unchanged")
LISTED = ("name", "state", "firing", "pending", "severity", "type", "version", "author")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("author", "version", "type", "evaluated")
FACTS = ("version", "author", "deleted_by", "error")
MOST_VERSIONS = 10
# What a rule lacks until there is data.
UNKNOWN_KIND = "kind_known"

alert_rules = typer.Typer(
    name="alert-rules",
    help="List, show, define and delete alert rules.",
    rich_markup_mode=None,
)
alert_rules.command("suggest")(suggest_threshold)


@alert_rules.command("list")
@alert_rules.callback(invoke_without_command=True)
def list_rules(
    context: typer.Context,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Part of the name or of the kind.")
    ] = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="List the deleted rules instead of the others.")
    ] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List alert rules: state, alerts, version; the commands below do more."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    if context.invoked_subcommand is not None:
        return
    filters = {"q": query, "deleted": "true" if deleted else None, "limit": limit}
    with connect() as client:
        answer = client.get("/alerts/rules", filters)
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [
        [*(item[name] for name in LISTED), age(item["evaluated_at"])] for item in result["items"]
    ]
    columns = (*LISTED, "evaluated")
    table("Alert rules", columns, rows, whole=("name",), spare=SPARE, framed=False)
    say_all(
        [f"{item['name']}: {item['error']}" for item in result["items"] if item["error"]], "errors"
    )
    if not rows:
        console.say(
            none_match("rules", "alert-rules list")
            if query or deleted
            else "There are no rules yet. Define those that come with the service with"
            f" `{console.command()} alert-rules define --built-in`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list with -q.")


@alert_rules.command("show")
def show_rule(name: Rule, as_json: Json = False) -> None:
    """Show an alert rule: what it says, and how its versions differ."""
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get(f"/alerts/rules/{quote(name, safe='')}", {"limit": MOST_VERSIONS})
    if as_json:
        console.echo(answer)
        return
    rule = msgspec.json.decode(answer)
    alerts = f" ({rule['firing']} firing, {rule['pending']} pending)"
    facts = {
        "name": rule["name"],
        "state": rule["state"] + (alerts if rule["firing"] or rule["pending"] else ""),
        **{fact: rule[fact] for fact in FACTS},
        "evaluated": age(rule["evaluated_at"]),
        **dict(_leaves(rule["document"])),
    }
    rows = [[key, value] for key, value in facts.items() if value is not None]
    table(rule["name"], ("field", "value"), rows, framed=False)
    console.write("\n")
    versions = [
        [
            version["version"],
            version["author"],
            moment(version["from"]),
            moment(version["to"]),
            "; ".join(_change(change) for change in version["changes"]),
        ]
        for version in rule["versions"]
    ]
    table("Versions", ("version", "author", "from", "to", "changes"), versions, framed=False)
    if rule["next_cursor"] is not None:
        console.say(f"Only the last {MOST_VERSIONS} versions are shown.")


@alert_rules.command("define")
def define_rules(
    file: Annotated[
        str | None,
        typer.Argument(
            help="A rule with its name, an array of them, or one a line; - is standard input.",
            metavar="FILE",
        ),
    ] = None,
    built_in: Annotated[
        bool, typer.Option("--built-in", help="Define the rules that come with the service.")
    ] = False,
    author: Author = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Define alert rules, or change them.

    Defining the same rules again changes nothing. A rule without an author gets that of --author.
    Refused rules are listed, and the exit status is 1; the others are defined. Of the built-in
    rules, those are skipped whose metrics nobody has sent yet.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    if (file is None) == (not built_in):
        raise Failure("Give either FILE or --built-in.", USAGE)
    outcomes = dict.fromkeys(OUTCOMES, 0)
    refused: list[dict[str, Any]] = []
    skipped: list[str] = []
    with connect() as client:
        for place, rule in _rules(file, refused):
            name = str(rule.get("name", ""))
            document = {"author": author_of(author), **rule}
            outcome = put(client, f"/alerts/rules/{quote(name, safe='')}", document)
            if isinstance(outcome, str):
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
            elif built_in and {fault["slug"] for fault in outcome["faults"]} == {UNKNOWN_KIND}:
                skipped.append(name)
            else:
                refused.append({"place": place, "name": name, **outcome})
    if as_json:
        console.echo(msgspec.json.encode({**outcomes, "skipped": skipped, "refused": refused}))
    else:
        say_all([f"{name} is skipped: there is no data for it yet." for name in skipped], "rules")
        say_all([refusal_lines(each) for each in refused], "refused rules")
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        console.write(f"{counts}, {len(skipped)} skipped, {len(refused)} refused\n")
    if refused:
        count = len(refused) + len(skipped) + sum(outcomes.values())
        raise Failure(
            f"{some_of(len(refused), count, 'rule')} not defined.",
            FAILED,
            hint="Correct them and run the command again: what is defined does not change.",
        )


@alert_rules.command("delete")
def delete_rule(name: Rule, author: Author = None, as_json: Json = False) -> None:
    """Delete an alert rule and end its alerts; its history stays."""
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import accepted, connect

    with connect() as client:
        path = f"/alerts/rules/{quote(name, safe='')}"
        response = client.send("DELETE", path, params={"author": author_of(author)})
        answer = accepted(response).content
    if as_json:
        console.echo(answer)
        return
    ended = msgspec.json.decode(answer)["ended"]
    alerts = f", and {ended} alerts ended" if ended else ""
    console.write(f"{name} is deleted{alerts}\n")


def _rules(file: str | None, refused: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rules of a file or the built-in ones, with their places; what is no rule is refused."""
    from supervisor_mcp.cli import built_in_rules
    from supervisor_mcp.cli.document_files import read

    if file is None:
        yield from ((str(rule["name"]), rule) for rule in built_in_rules.read())
        return
    for entry in read(file):
        if entry.document is None:
            refused.append({"place": entry.place, "detail": entry.fault})
        elif not isinstance(entry.document.get("name"), str) or not entry.document["name"]:
            refused.append({"place": entry.place, "detail": "It has no name."})
        else:
            yield entry.place, entry.document


def _leaves(value: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The members of a document that hold no others, with their paths."""
    for name, member in value.items():
        if isinstance(member, dict):
            yield from _leaves(member, f"{path}{name}.")
        else:
            yield f"{path}{name}", _text(member)


def _change(change: dict[str, Any]) -> str:
    """A difference of two versions: `condition.threshold: 90 → 95`."""
    return f"{change['field']}: {_text(change['before'])} → {_text(change['after'])}"


def _text(value: Any) -> str:
    import msgspec

    if value is None:
        return "-"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()

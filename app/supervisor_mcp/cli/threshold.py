"""supervisor-mcp alert-rules suggest: the threshold that history gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.backtest import Step, tested_rule
from supervisor_mcp.cli.parameters import From, Json, To, complete_rule
from supervisor_mcp.cli.quantities import counted, moment

if TYPE_CHECKING:
    from supervisor_mcp.cli.client import Client


def suggest_threshold(
    given: Annotated[
        str,
        typer.Argument(
            help="File with a condition or a rule (- for standard input), or name of a rule.",
            metavar="RULE",
            autocompletion=complete_rule,
        ),
    ],
    per_month: Annotated[int, typer.Option(min=0, help="Alerts that you want in 30 days.")] = 2,
    from_: From = None,
    to: To = None,
    step: Step = None,
    as_json: Json = False,
) -> None:
    """Suggest a threshold: the one that would have given as many alerts as you want."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    asked: dict[str, Any] = {"per_month": per_month, "from": from_, "to": to, "step": step}
    with connect() as client:
        asked["condition"] = _condition(client, given)
        answer = client.write("POST", "/alerts/rules/threshold", asked)
    if as_json:
        console.echo(answer)
        return
    found = msgspec.json.decode(answer)
    if found["threshold"] is None:
        console.say("There is no data in this time. Send an earlier --from.")
        return
    console.write(
        f"{found['operator']} {found['threshold']:.6g} gives {counted(found['alerts'], 'alert')}"
        f" from {moment(found['from'])} to {moment(found['to'])}, {found['per_month']:.3g} a month,"
        f" and holds in {found['holds_percent']:.3g} % of the evaluations. Data cover"
        f" {found['coverage_percent']:.3g} % of this time.\n"
    )


def _condition(client: Client, given: str) -> dict[str, Any]:
    """The condition in a file, or that of a rule that is defined."""
    from urllib.parse import quote

    import msgspec

    tested = tested_rule(given)
    if "name" in tested:
        path = f"/alerts/rules/{quote(tested['name'], safe='')}"
        tested["rule"] = msgspec.json.decode(client.get(path, {"limit": 1}))["document"]
    rule: dict[str, Any] = tested["rule"]
    condition: dict[str, Any] = rule.get("condition", rule)
    return condition

"""supervisor-mcp alert-rules suggest: the threshold that history gives."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.backtest import Step, entries_of
from supervisor_mcp.cli.parameters import From, Json, To
from supervisor_mcp.cli.quantities import moment


def suggest_threshold(
    file: Annotated[
        str,
        typer.Argument(
            help="File with a condition (- for standard input), or with a rule.", metavar="FILE"
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

    (document,) = entries_of(file)[:1] or [{}]
    asked = {
        "condition": document.get("condition", document),
        "per_month": per_month,
        "from": from_,
        "to": to,
        "step": step,
    }
    with connect() as client:
        answer = client.write("POST", "/alerts/rules/threshold", asked)
    if as_json:
        console.echo(answer)
        return
    found = msgspec.json.decode(answer)
    if found["threshold"] is None:
        console.say("There is no data in this time. Send an earlier --from.")
        return
    console.write(
        f"{found['operator']} {found['threshold']:.6g} gives {found['alerts']} alerts from"
        f" {moment(found['from'])} to {moment(found['to'])}, {found['per_month']:.3g} a month,"
        f" and holds in {found['holds_percent']:.3g} % of the evaluations. Data cover"
        f" {found['coverage_percent']:.3g} % of this time.\n"
    )

"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli.failure import USAGE, Failure

COMPLETION_SECONDS = 1.0


def complete_kind(incomplete: str) -> list[str]:
    """Kinds for the completion of the shell; none where no service answers soon."""
    return _complete("/query/kinds", {"prefix": incomplete}, "kind")


def complete_server(incomplete: str) -> list[str]:
    """Names of servers for the completion of the shell; none where no service answers soon."""
    names = _complete("/registry/servers", {"q": incomplete or None}, "name")
    return [name for name in names if name.startswith(incomplete)]


def complete_rule(incomplete: str) -> list[str]:
    """Names of alert rules for the completion of the shell; none where no service answers soon."""
    names = _complete("/alerts/rules", {"q": incomplete or None}, "name")
    return [name for name in names if name.startswith(incomplete)]


def complete_kpi(incomplete: str) -> list[str]:
    """Names of KPIs for the completion of the shell; none where no service answers soon."""
    return [name for name in _complete("/kpis", {}, "name") if name.startswith(incomplete)]


def complete_maintenance(incomplete: str) -> list[str]:
    """Windows that have not ended, for the completion of the shell."""
    names = _complete("/health/maintenance", {}, "id")
    return [name for name in names if name.startswith(incomplete)]


def complete_subscription(incomplete: str) -> list[str]:
    """Names of subscriptions for the completion of the shell."""
    names = _complete("/subscriptions", {}, "name")
    return [name for name in names if name.startswith(incomplete)]


def complete_key(incomplete: str) -> list[str]:
    """Ids of keys that are active, for the completion of the shell."""
    names = _complete("/access/keys", {"active": "true"}, "id")
    return [name for name in names if name.startswith(incomplete)]


def _complete(path: str, filters: dict[str, str | None], member: str) -> list[str]:
    import msgspec

    from supervisor_mcp.cli.client import connect

    try:
        with connect(timeout_seconds=COMPLETION_SECONDS) as client:
            answer = client.get(path, filters)
    except Failure:
        return []
    return [item[member] for item in msgspec.json.decode(answer)["items"]]


def author_of(given: str | None) -> str:
    """The author that is given, else the login name of this user. Raises Failure."""
    from getpass import getuser

    if given is not None:
        return given
    try:
        return getuser()
    except (KeyError, OSError):
        raise Failure("This user has no name.", USAGE, hint="Add --author NAME.") from None


def read_labels(given: list[str] | None) -> dict[str, str]:
    """Labels from `KEY=VALUE` texts. Raises Failure."""
    labels = {}
    for pair in given or []:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise Failure(f'--label "{pair}" is not KEY=VALUE.', USAGE)
        labels[name] = value
    return labels


Json = Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON.")]
Source = Annotated[str | None, typer.Option(help="Only this source.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="RFC3339", help="At or after this time.")
]
To = Annotated[str | None, typer.Option(metavar="RFC3339", help="Before this time.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")]
FactKind = Annotated[str | None, typer.Option(help="Fact:<Name>.", autocompletion=complete_kind)]
Kind = Annotated[
    str | None,
    typer.Argument(
        help="A metric name or Fact:<Name>; all kinds when absent.",
        metavar="KIND",
        autocompletion=complete_kind,
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        help="A metric name or Fact:<Name>.", metavar="NAME", autocompletion=complete_kind
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="Only series with this label; repeatable."),
]
Server = Annotated[
    str,
    typer.Argument(
        help="Name of a server, such as io.github.acme/search.",
        metavar="NAME",
        autocompletion=complete_server,
    ),
]
Rule = Annotated[
    str,
    typer.Argument(help="Name of an alert rule.", metavar="NAME", autocompletion=complete_rule),
]
Kpi = Annotated[
    str,
    typer.Argument(help="Name of a KPI.", metavar="NAME", autocompletion=complete_kpi),
]
Subscription = Annotated[
    str,
    typer.Argument(
        help="Name of a subscription.", metavar="NAME", autocompletion=complete_subscription
    ),
]
Key = Annotated[
    str,
    typer.Argument(
        help="Id of a key, the 8 characters after sk_; or the key.",
        metavar="ID",
        autocompletion=complete_key,
    ),
]
Author = Annotated[str | None, typer.Option(help="Who does this; your login name if left out.")]
Tag = Annotated[str | None, typer.Option(help="Only servers with this tag.")]
Owner = Annotated[str | None, typer.Option(help="Owner of the entries.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Tag of the entries; repeatable.")]

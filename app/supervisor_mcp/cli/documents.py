"""Documents that are sent to the service one by one; a refused one does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supervisor_mcp.cli import console

if TYPE_CHECKING:
    from supervisor_mcp.cli.client import Client

# Further ones are counted.
MOST_SHOWN = 20
# A refusal of one document, in contrast to one of every request.
REFUSALS = {409, 413, 422}


def put(client: Client, path: str, document: dict[str, Any]) -> str | dict[str, Any]:
    """The outcome, or what the service refuses. Raises Failure for any other error."""
    import msgspec

    from supervisor_mcp.cli.client import accepted, refusal

    response = client.send(
        "PUT",
        path,
        body=msgspec.json.encode(document),
        headers={"Content-Type": "application/json"},
    )
    if response.status_code not in REFUSALS:
        return str(msgspec.json.decode(accepted(response).content)["outcome"])
    failure = refusal(response)
    faults = (failure.problem or {}).get("params", {}).get("faults", [])
    return {"detail": failure.detail, "hint": failure.hint, "faults": faults}


def refusal_lines(refused: dict[str, Any]) -> str:
    """A refused document: where it is, what it is called, and every fault."""
    named = f" ({refused['name']})" if "name" in refused else ""
    faults = [f"{each['field']}: {each['detail']}" for each in refused.get("faults", ())]
    # The details of faults have the next step.
    hints = [f"Hint: {refused['hint']}"] if refused.get("hint") and not faults else []
    return "\n  ".join([f"{refused['place']}{named}: {refused['detail']}", *faults, *hints])


def say_all(lines: list[str], noun: str) -> None:
    """Print the first lines to standard error, and how many more there are."""
    for line in lines[:MOST_SHOWN]:
        console.say(line)
    if len(lines) > MOST_SHOWN:
        console.say(f"There are {len(lines) - MOST_SHOWN} more {noun}; --json lists all of them.")

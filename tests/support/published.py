"""What programs rely on of the OpenAPI document and of the list of tools, a line for each thing.

`python -m tests.support.published openapi` prints what `tests/rest/openapi.txt` should hold, and
`tools` what `tests/mcp/tools.txt` should.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, cast

from supervisor_mcp.operations.clock import now
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest import openapi
from supervisor_mcp.rest.app import OPERATIONS

# Words, on which no program depends.
WORDING = {"description", "summary", "examples", "pattern"}


def routes() -> Iterator[str]:
    """Operations by methods and paths, and the components of the document."""
    document = openapi.document(OPERATIONS, "0")
    for path, methods in document.pop("paths").items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path} {_shown(operation)}"
    for kind, components in document.pop("components").items():
        for name, component in components.items():
            yield f"{kind} {name} {_shown(component)}"
    yield f"document {_shown(document)}"


def tools() -> Iterator[str]:
    """Tools by their names."""
    # It takes long to import.
    from supervisor_mcp.mcp.tools import all_tools  # noqa: PLC0415

    for tool in all_tools(cast("Context", None), now):
        listed = tool.to_mcp_tool().model_dump(mode="json", by_alias=True, exclude_none=True)
        yield f"{listed.pop('name')} {_shown({**listed, 'scope': tool.scope})}"


def _shown(value: object) -> str:
    return json.dumps(_short(value), ensure_ascii=False)


def _short(value: Any) -> Any:
    """The same without words; of a reference, its last part."""
    if isinstance(value, list):
        return [_short(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2]
    return {
        name: _short(each)
        for name, each in value.items()
        # A member may have such a name too; what describes it is an object.
        if name not in WORDING or isinstance(each, dict)
    }


if __name__ == "__main__":
    shown = {"openapi": routes, "tools": tools}[sys.argv[1]]
    sys.stdout.writelines(f"{line}\n" for line in shown())

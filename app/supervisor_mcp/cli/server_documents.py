"""Documents of servers in older shapes of the official registry, brought to the present one.

The shape of 2025-05 has version_detail, registry_name and transport_type; until 2025-09 names were
written with underscores.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

LONGEST_DESCRIPTION = 100
NO_VERSION = "0.0.0"
OLDER = ("version_detail", "website_url")
PACKAGE_NAMES = {"registry_name": "registryType", "name": "identifier"}
REMOTE_NAMES = {"transport_type": "type"}
# Names that have changed: registries of packages, and transports.
REGISTRIES = {"docker": "oci", "dockerhub": "oci"}
TRANSPORTS = {"streamable": "streamable-http", "http": "streamable-http"}
UNDERSCORE = re.compile(r"_([a-z0-9])")
PLACEHOLDER = re.compile(r"<[^<>]*>|\$[{][^{}]*[}]")
RANGE = re.compile(r"^ *[~^<>=]|[*]|[|]|,| - |(^|[.])[xX]([.+-]|$)|^latest$")

Document = dict[str, Any]


def modern(document: Document) -> tuple[Document, list[str]]:
    """A document in the present shape, and what a user should know about the change."""
    if not _is_older(document):
        return document, []
    remarks: list[str] = []
    version = _version(document, remarks)
    rest = {
        _camel(name): value
        for name, value in document.items()
        if name not in {"id", "version_detail", "version", "description", "repository"}
        and name not in {"packages", "remotes"}
    }
    made = {
        **rest,
        "description": _description(document, remarks),
        "version": version,
        "repository": _repository(document.get("repository")),
        "packages": [_package(each, remarks) for each in _objects(document.get("packages"))],
        "remotes": [_remote(each, remarks) for each in _objects(document.get("remotes"))],
    }
    made["packages"] = [each for each in made["packages"] if each.get("identifier")]
    return {name: value for name, value in made.items() if value not in ({}, [], None)}, remarks


def _is_older(document: Document) -> bool:
    return (
        any(name in document for name in OLDER)
        or any("registry_name" in each for each in _objects(document.get("packages")))
        or any("registry_type" in each for each in _objects(document.get("packages")))
        or any("transport_type" in each for each in _objects(document.get("remotes")))
    )


def _objects(value: object) -> list[Document]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _camel(name: str) -> str:
    """Without underscores; a name such as _meta stays."""
    return name[:1] + UNDERSCORE.sub(lambda found: found[1].upper(), name[1:])


def _description(document: Document, remarks: list[str]) -> object:
    text = document.get("description")
    if not text:
        remarks.append("it has no description; its name is used")
        return str(document.get("name"))[:LONGEST_DESCRIPTION]
    if not isinstance(text, str) or len(text) <= LONGEST_DESCRIPTION:
        return text
    remarks.append(f"its description of {len(text)} characters is shortened to 100")
    cut = text[: LONGEST_DESCRIPTION - 1]
    whole_words = cut.rsplit(None, 1)[0] if not text[len(cut)].isspace() else cut
    return (whole_words if len(whole_words) > LONGEST_DESCRIPTION // 2 else cut).rstrip() + "…"


def _version(document: Document, remarks: list[str]) -> object:
    detail = document.get("version_detail")
    stated = document.get("version") or (detail.get("version") if isinstance(detail, dict) else "")
    if stated:
        return stated
    found = [each.get("version") for each in _objects(document.get("packages"))]
    version = next((each for each in found if each and not RANGE.search(str(each))), NO_VERSION)
    remarks.append(f"it has no version; {version} is used")
    return version


def _repository(value: object) -> Document | None:
    """The repository; None where it has no URL."""
    if not isinstance(value, dict) or not value.get("url"):
        return None
    kept = {_camel(name): each for name, each in value.items() if each not in ("", None)}
    host = urlsplit(str(kept["url"])).hostname or "unknown"
    return {"source": host.removesuffix(".com"), **kept}


def _package(package: Document, remarks: list[str]) -> Document:
    made: Document = _inputs(package, PACKAGE_NAMES)
    made["registryType"] = REGISTRIES.get(made.get("registryType", ""), made.get("registryType"))
    if RANGE.search(str(made.get("version", ""))):
        remarks.append(f"version {made.pop('version')} of a package is not exact and left out")
    if not made.get("identifier"):
        remarks.append("a package without a name is left out")
    transport = made.get("transport")
    made["transport"] = (
        _remote(transport, remarks) if isinstance(transport, dict) else {"type": "stdio"}
    )
    return {name: value for name, value in made.items() if value is not None}


def _remote(remote: Document, remarks: list[str]) -> Document:
    made: Document = _inputs(remote, REMOTE_NAMES)
    made["type"] = TRANSPORTS.get(made.get("type", ""), made.get("type"))
    url = made.get("url")
    if isinstance(url, str) and (placeholders := PLACEHOLDER.findall(url)):
        names = [_variable(each) for each in placeholders]
        made["url"] = PLACEHOLDER.sub(lambda found: f"{{{_variable(found[0])}}}", url)
        made["variables"] = {
            **{name: {"isRequired": True} for name in names},
            **made.get("variables", {}),
        }
        remarks.append(f"{', '.join(names)} in the URL of a remote is a variable")
    return made


def _variable(text: str) -> str:
    """A name for what a placeholder stands for."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")
    return name if re.match(r"[A-Za-z_]", name) else f"value_{name}".rstrip("_")


def _inputs(value: Any, renamed: dict[str, str] | None = None) -> Any:
    """The same with names of the present shape, without empty members."""
    if isinstance(value, list):
        return [_inputs(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        (renamed or {}).get(name, _camel(name)): (
            # The keys of variables are names that the document chose.
            {key: _inputs(each) for key, each in member.items()}
            if name == "variables" and isinstance(member, dict)
            else _inputs(member)
        )
        for name, member in value.items()
        if member not in ("", None, [], {})
    }

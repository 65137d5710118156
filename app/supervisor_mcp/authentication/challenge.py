"""WWW-Authenticate: what a client that was refused has to bring (RFC 6750, RFC 9728)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from supervisor_mcp.errors import Problem

REALM: Final = 'Bearer realm="supervisor-mcp"'
# What a client that sent nothing did wrong is not said: it may only have asked for this.
ERRORS: Final[Mapping[str, str]] = {
    "credentials_valid": "invalid_token",
    "scope_sufficient": "insufficient_scope",
}
CHALLENGED: Final = {"credentials_required", *ERRORS}


def challenge(problem: Problem, metadata_url: str | None = None) -> str:
    """The header; `metadata_url` is where the metadata of the resource names its issuer."""
    parts = [REALM]
    if problem.slug in ERRORS:
        parts.append(f'error="{ERRORS[problem.slug]}"')
        parts.append(f'error_description="{_quotable(problem.detail)}"')
    if "scope" in problem.params:
        parts.append(f'scope="{problem.params["scope"]}"')
    if metadata_url is not None:
        parts.append(f'resource_metadata="{metadata_url}"')
    return ", ".join(parts)


def _quotable(text: str) -> str:
    """A text with the characters that a header and RFC 6750 allow in a description."""
    return "".join(
        each if " " <= each <= "~" and each not in '"\\' else "'" if each == '"' else "?"
        for each in text
    )

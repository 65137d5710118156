"""Tokens of an issuer: JSON Web Tokens (RFC 7519) and the identities that they name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self, get_args

import jwt
from jwt import PyJWK
from jwt.exceptions import (
    DecodeError,
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    MissingRequiredClaimError,
    PyJWTError,
)

from supervisor_mcp.authentication.headers import refused
from supervisor_mcp.authentication.key_set import KeySet
from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity, Scope
from supervisor_mcp.operations.text_rules import NAMESPACE

LARGEST_BYTES: Final = 16 * 1024
LONGEST_NAME: Final = 200
# Nobody else acts under these names.
RESERVED: Final = {"anyone", "bootstrap"}
SCOPES: Final = frozenset[Scope](get_args(Scope))
REASONS: Final[Mapping[type[Exception], str]] = {
    ExpiredSignatureError: "the token has expired",
    ImmatureSignatureError: "the token is not valid yet",
    InvalidAudienceError: "the token is for another audience",
    InvalidIssuerError: "the token is of another issuer",
}
ANOTHER: Final = "Ask the issuer for a new token."


class Tokens:
    """Verifies the tokens of one issuer for one or more audiences."""

    def __init__(
        self,
        algorithms: Sequence[str],
        issuer: str,
        audience: Sequence[str],
        leeway_seconds: int,
        keys: KeySet | None,
        secret: str | None,
    ) -> None:
        self._algorithms = frozenset(algorithms)
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway_seconds
        self._keys = keys
        self._secret = secret

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """What the settings describe; None where they name no issuer."""
        if not settings.algorithms:
            return None
        return cls(
            settings.algorithms,
            settings.jwt_issuer or "",
            settings.jwt_audience or (),
            settings.jwt_leeway_seconds,
            None if settings.jwt_jwks_url is None else KeySet(settings.jwt_jwks_url),
            settings.secret("jwt_secret"),
        )

    @property
    def generation(self) -> int:
        """Changes when what was verified before may not hold any more."""
        return 0 if self._keys is None else self._keys.generation

    async def verify(self, token: str) -> tuple[Identity, float]:
        """Whose token it is, and until when, in seconds of the epoch. Raises `Problem`."""
        if len(token) > LARGEST_BYTES:
            raise refused(f"the token has more than {LARGEST_BYTES} bytes")
        algorithm, key = await self._key_for(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "enforce_minimum_key_length": True,
                },
            )
            expires_at = float(claims["exp"])
        except (PyJWTError, OverflowError) as error:
            raise _refusal(error) from None
        return _identity(claims), expires_at + self._leeway

    async def _key_for(self, token: str) -> tuple[str, PyJWK | str]:
        """The algorithm of a token, which is one of those allowed, and the key for it.

        A secret only ever verifies HS256, and a public key only the algorithm that it is for.
        """
        try:
            header = jwt.get_unverified_header(token)
        except DecodeError:
            raise refused("the credentials are neither a key nor a token") from None
        except PyJWTError as error:
            raise _refusal(error) from None
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            expected = " or ".join(sorted(self._algorithms))
            raise refused(f"the token is not signed with {expected}", ANOTHER)
        if algorithm == "HS256" and self._secret is not None:
            return algorithm, self._secret
        key_id = header.get("kid")
        key = None if self._keys is None else await self._keys.find(key_id, algorithm)
        if key is None:
            raise refused("the token is signed with a key that its issuer does not list", ANOTHER)
        return algorithm, key


def _refusal(error: Exception) -> Problem:
    if isinstance(error, MissingRequiredClaimError):
        return refused(f"the token has no {error.claim}", ANOTHER)
    return refused(REASONS.get(type(error), "the token is not valid"), ANOTHER)


def _identity(claims: Mapping[str, Any]) -> Identity:
    name = claims["sub"]
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise refused(f"the sub of the token is not a name of 1 to {LONGEST_NAME} characters")
    if name in RESERVED:
        raise refused(f'the sub of the token is "{name}", which is reserved')
    namespace = claims.get("supervisor_namespace", "")
    if not isinstance(namespace, str) or not _is_namespace(namespace):
        raise refused("the supervisor_namespace of the token is not the name of a namespace")
    scopes, sources = _scopes(claims), _sources(claims)
    # It could create a key that is not bound.
    if sources is not None and "admin" in scopes:
        raise refused("the token is bound to sources and has the scope admin")
    return Identity(name, scopes, sources, namespace)


def _scopes(claims: Mapping[str, Any]) -> frozenset[Scope]:
    """The scopes that are known here; issuers add others for other services."""
    sent = claims.get("scope", claims.get("scp", ""))
    names = sent.split() if isinstance(sent, str) else sent
    return SCOPES.intersection(names) if _are_texts(names) else frozenset()


def _sources(claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The sources that the token is bound to. A claim that binds to none must not free it."""
    if "supervisor_sources" not in claims:
        return None
    sent = claims["supervisor_sources"]
    if not _are_texts(sent) or not sent or not all(name and name.isprintable() for name in sent):
        raise refused("the supervisor_sources of the token are not a list of names of sources")
    return tuple(sent)


def _is_namespace(text: str) -> bool:
    fits = re.search(NAMESPACE["pattern"], text) and not text.endswith("\n")
    return bool(fits) and len(text) <= NAMESPACE["maxLength"]


def _are_texts(sent: Any) -> bool:
    return isinstance(sent, list) and all(isinstance(each, str) for each in sent)

"""An issuer of tokens: a web server on loopback with a key set that rotates."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "https://supervisor.example/mcp"
PATH = "/.well-known/jwks.json"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Issuer:
    """Signs tokens, and publishes the keys for them."""

    def __init__(self) -> None:
        self.requests = 0
        self.published: dict[str, dict[str, Any]] = {}
        # What is answered in place of the key set, where a test says so.
        self.answer: tuple[int, bytes] | None = None
        self.url = ""
        self._keys: dict[str, tuple[str, PrivateKey]] = {}

    @property
    def jwks_url(self) -> str:
        """Where the key set is."""
        return f"{self.url}{PATH}"

    def add(self, key_id: str, algorithm: str = "ES256", *, publish: bool = True) -> None:
        """Make a key, and publish it."""
        key = new_key(algorithm, key_id)
        self._keys[key_id] = (algorithm, key)
        if publish:
            self.publish(key_id)

    def publish(self, key_id: str, **members: object) -> None:
        """Publish a key, with more members in its JWK."""
        algorithm, key = self._keys[key_id]
        self.published[key_id] = {**_public(algorithm, key), "kid": key_id, **members}

    def withdraw(self, key_id: str) -> None:
        """Publish a key no more."""
        del self.published[key_id]

    def claims(self, **claims: object) -> dict[str, object]:
        """The claims of a good token, with others; None leaves one out."""
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ann",
            "exp": int(time.time()) + 600,
            "scope": "read",
        }
        return {name: value for name, value in (good | claims).items() if value is not None}

    def token(
        self, key_id: str = "first", headers: dict[str, Any] | None = None, **claims: object
    ) -> str:
        """A token that is signed with a key."""
        algorithm, key = self._keys[key_id]
        return jwt.encode(
            self.claims(**claims), key, algorithm, headers={"kid": key_id, **(headers or {})}
        )


@cache
def new_key(algorithm: str, name: str) -> PrivateKey:
    """A private key, the same for the same name: to make one takes long."""
    del name
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def _public(algorithm: str, key: PrivateKey) -> dict[str, Any]:
    public: Any = key.public_key()
    makers: dict[str, Any] = {
        "RS256": RSAAlgorithm,
        "ES256": ECAlgorithm,
        "EdDSA": OKPAlgorithm,
    }
    made: dict[str, Any] = makers[algorithm].to_jwk(public, as_dict=True)
    return made


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run an issuer with one key, `first`."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.requests += 1
            status, body = issuer.answer or (
                200,
                json.dumps({"keys": list(issuer.published.values())}).encode(),
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if 300 <= status < 400:
                self.send_header("Location", issuer.jwks_url)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        issuer.add("first")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()

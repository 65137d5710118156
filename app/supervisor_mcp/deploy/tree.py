"""The folder sql/ as data: which files there are, what they hold, and whether the set is whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

from supervisor_mcp.deploy.errors import DeployError

MIGRATION_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
FUNCTION_SCHEMAS = ("internal", "api", "analytics", "ops")
VIEW_SCHEMAS = ("analytics", "ops")


@dataclass(frozen=True)
class SqlFile:
    """One file: its path below sql/ with `/`, and its text with `\\n` line ends."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """File name without its folder, e.g. `0001_schemas.sql`."""
        return self.path.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        """Digest of the text in hexadecimal, the same for all line ends of a checkout."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def is_additive(self) -> bool:
        """Whether a migration says in its first comment that older releases can work with it."""
        head = takewhile(lambda line: line.startswith("--"), self.text.splitlines())
        return any(line.startswith("-- Additive:") for line in head)

    @property
    def relation(self) -> str:
        """What a file of functions/ or views/ creates, e.g. `api.query_agg`."""
        return ".".join(self.path.removesuffix(".sql").split("/")[-2:])


@dataclass(frozen=True)
class Tree:
    """All SQL of one release; migrations in their order, the rest by path."""

    migrations: tuple[SqlFile, ...]
    code: tuple[SqlFile, ...]
    policies: tuple[SqlFile, ...]
    grants: tuple[SqlFile, ...]

    @property
    def sha256(self) -> str:
        """Digest of all files and their paths, in hexadecimal."""
        files = (*self.migrations, *self.code, *self.policies, *self.grants)
        lines = (f"{file.sha256}  {file.path}\n" for file in files)
        return sha256("".join(lines).encode()).hexdigest()


def read_tree(sql_dir: Path) -> Tree:
    """Read every SQL file below `sql_dir`.

    Raises DeployError when there is no such folder, a migration's name or number is out of order,
    or a function or view lies outside the schemas that are rebuilt.
    """
    if not (sql_dir / "migrations").is_dir():
        raise DeployError(f"{sql_dir} holds no folder migrations/")
    return Tree(
        migrations=_migrations(sql_dir),
        code=tuple(
            file
            for folder, schemas in (("functions", FUNCTION_SCHEMAS), ("views", VIEW_SCHEMAS))
            for file in _code(sql_dir, folder, schemas)
        ),
        policies=_read(sql_dir, "policies/*.sql"),
        grants=_read(sql_dir, "grants.sql"),
    )


def shipped_sql_dir() -> Path:
    """Find sql/: inside the installed package, else beside it in the repository."""
    package = Path(__file__).parent.parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent.parent / "sql"


def _migrations(sql_dir: Path) -> tuple[SqlFile, ...]:
    files = _read(sql_dir, "migrations/*.sql")
    for number, file in enumerate(files, start=1):
        match = MIGRATION_NAME.fullmatch(file.name)
        if match is None:
            raise DeployError(f"{file.path} is not named NNNN_<what>.sql, lower case")
        if int(match[1]) != number:
            raise DeployError(
                f"{file.path} is out of order, migration {number:04} is next:"
                " numbers start at 0001 and have no gap and no double"
            )
    return files


def _code(sql_dir: Path, folder: str, schemas: tuple[str, ...]) -> list[SqlFile]:
    files = _read(sql_dir, f"{folder}/**/*.sql")
    for file in files:
        parts = file.path.split("/")
        if len(parts) != 3 or parts[1] not in schemas:
            raise DeployError(
                f"{file.path} is not {folder}/<schema>/<name>.sql of a schema among"
                f" {', '.join(schemas)}"
            )
    return sorted(files, key=lambda file: schemas.index(file.path.split("/")[1]))


def _read(sql_dir: Path, pattern: str) -> tuple[SqlFile, ...]:
    return tuple(
        SqlFile(path.relative_to(sql_dir).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(sql_dir.glob(pattern))
    )

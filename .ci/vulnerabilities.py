"""Ask OSV (https://osv.dev) whether a pinned dependency has a known vulnerability.

One request for all lock files. Exits with 1 when there is one; where OSV does not answer, says so
and exits with 0, so that a check without a network still works. `OSV_URL` names a mirror.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent
URL = "https://api.osv.dev"
SECONDS = 5.0
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
# What does not concern this project, by the id of OSV, with the reason.
IGNORED: dict[str, str] = {}

Package = tuple[str, str, str]


def pinned() -> list[Package]:
    """Ecosystem, name and version of everything in the lock files."""
    found = {
        ("PyPI", name, version)
        for lock in ROOT.glob("requirements*.lock")
        for name, version in PINNED.findall(lock.read_text(encoding="utf-8"))
    }
    for lock in (ROOT / "package-lock.json", *ROOT.glob("app/**/package-lock.json")):
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        found |= {
            ("npm", path.rpartition("node_modules/")[2], entry["version"])
            for path, entry in packages.items()
            if "node_modules/" in path
        }
    return sorted(found)


def known(packages: list[Package]) -> list[str]:
    """What OSV knows about these versions, a line each. Raises httpx.HTTPError."""
    queries = [
        {"package": {"ecosystem": ecosystem, "name": name}, "version": version}
        for ecosystem, name, version in packages
    ]
    url = os.environ.get("OSV_URL", URL)
    with httpx.Client(base_url=url, timeout=SECONDS) as http:
        answer = http.post("/v1/querybatch", json={"queries": queries}).raise_for_status()
    results: list[dict[str, Any]] = answer.json()["results"]
    return [
        f"{name} {version}: https://osv.dev/vulnerability/{each['id']}"
        for (_, name, version), result in zip(packages, results, strict=True)
        for each in result.get("vulns", ())
        if each["id"] not in IGNORED
    ]


def main() -> int:
    """Print what is known; the exit status."""
    packages = pinned()
    try:
        found = known(packages)
    except (httpx.HTTPError, ValueError, KeyError) as error:
        sys.stdout.write(f"vulnerabilities: skipped, OSV does not answer ({error})\n")
        return 0
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(f"vulnerabilities: {len(found)} known in {len(packages)} dependencies\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

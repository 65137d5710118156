"""What runs below a process, as Linux tells it."""

from __future__ import annotations

from pathlib import Path


def descendants(pid: int) -> set[tuple[int, int]]:
    """Processes below `pid`, itself included: pid and start time, which no other process shares."""
    parents = {
        each: stat
        for entry in Path("/proc").glob("[0-9]*")
        if (stat := _stat(each := int(entry.name)))
    }
    found = {pid}
    while True:
        more = {each for each, (parent, _, _) in parents.items() if parent in found} - found
        if not more:
            return {(each, parents[each][1]) for each in found if each in parents}
        found |= more


def alive(processes: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the processes that still run."""
    return {
        (pid, started)
        for pid, started in processes
        if (stat := _stat(pid)) and stat[1] == started and stat[2] != "Z"
    }


def is_alive(pid: int) -> bool:
    """Whether a process has this pid and is not a zombie."""
    stat = _stat(pid)
    return stat is not None and stat[2] != "Z"


def _stat(pid: int) -> tuple[int, int, str] | None:
    """Parent, start time in clock ticks and state of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), int(fields[19]), fields[0]

"""CPU time and memory of a kernel and its children, read from ``/proc``; unknown elsewhere."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class UsageMeter:
    """Meters one process tree, cell by cell.

    The kernel's own peak is the kernel's (Linux keeps it, and lets it be reset); children
    are looked at now and then, so a short peak of theirs can be missed.
    """

    def __init__(self, pid: int | None) -> None:
        """Meter the tree below ``pid``; without one everything is unknown."""
        self.pid = pid if pid and (PROC / str(pid) / "stat").exists() else None
        self._cpu = 0.0
        self._children = 0

    def begin(self) -> None:
        """A cell begins."""
        if self.pid is not None:
            self._cpu = self._cpu_now()
            self._children = 0
            with suppress(OSError):
                (PROC / str(self.pid) / "clear_refs").write_text("5")

    def look(self) -> None:
        """Look at the children's memory."""
        if self.pid is not None:
            self._children = max(self._children, sum(_resident(child) for child in _descendants(self.pid)))

    def end(self) -> tuple[float | None, int | None]:
        """CPU seconds and peak memory in bytes since ``begin``; None when unknown."""
        if self.pid is None:
            return None, None
        self.look()
        cpu, peak = self._cpu_now(), _peak(self.pid)
        if peak is None or cpu < self._cpu:
            return None, None  # the process has gone
        return round(cpu - self._cpu, 3), peak + self._children

    def _cpu_now(self) -> float:
        """CPU seconds of the process, of its dead children, and of those that live."""
        if self.pid is None:
            return 0.0
        own = sum(_times(self.pid, with_dead_children=True))
        return own + sum(sum(_times(child, with_dead_children=True)) for child in _descendants(self.pid))


def _times(pid: int, *, with_dead_children: bool) -> tuple[float, float]:
    try:
        fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0, 0.0
    own = (int(fields[11]) + int(fields[12])) / _TICK
    return own, (int(fields[13]) + int(fields[14])) / _TICK if with_dead_children else 0.0


def _peak(pid: int) -> int | None:
    try:
        status = (PROC / str(pid) / "status").read_bytes()
    except OSError:
        return None
    found = status.partition(b"VmHWM:")[2].split(maxsplit=1)
    return int(found[0]) * 1024 if found else None


def _resident(pid: int) -> int:
    try:
        return int((PROC / str(pid) / "statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _descendants(pid: int) -> list[int]:
    """Children of all threads, and theirs."""
    found: list[int] = []
    left = [pid]
    while left:
        parent = left.pop()
        with suppress(OSError):
            for thread in os.listdir(PROC / str(parent) / "task"):  # noqa: PTH208  # a hot path
                with suppress(OSError):
                    children = (PROC / str(parent) / "task" / thread / "children").read_bytes().split()
                    found += map(int, children)
                    left += map(int, children)
    return found

"""CPU time and memory of a kernel and its children, read from ``/proc``; unknown elsewhere."""

from __future__ import annotations

import os
from contextlib import suppress

PROC = "/proc"
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class UsageMeter:
    """Meters one process tree, cell by cell.

    The kernel's own peak is exact: Linux keeps it, and lets it be reset. Children are looked
    at now and then, so a short peak of theirs can be missed. A cell costs some 0.1 ms.
    """

    def __init__(self, pid: int | None) -> None:
        """Meter the tree below ``pid``; without one everything is unknown."""
        self.pid = pid if pid and _read(f"{PROC}/{pid}/stat") else None
        self._cpu = 0.0
        self._children = 0

    def begin(self) -> None:
        """A cell begins."""
        if self.pid is not None:
            self._cpu = self._cpu_now()
            self._children = 0
            with suppress(OSError), open(f"{PROC}/{self.pid}/clear_refs", "wb", buffering=0) as reset:  # noqa: PTH123
                reset.write(b"5")

    def look(self) -> None:
        """Look at the memory of children, those of all threads."""
        if self.pid is not None:
            threads = os.listdir(f"{PROC}/{self.pid}/task") if os.path.isdir(f"{PROC}/{self.pid}/task") else []  # noqa: PTH112, PTH208
            children = [child for thread in threads for child in _descendants(self.pid, thread)]
            self._children = max(self._children, sum(_resident(child) for child in children))

    def end(self) -> tuple[float | None, int | None]:
        """CPU seconds and peak memory in bytes since ``begin``; None when unknown."""
        if self.pid is None:
            return None, None
        cpu, peak = self._cpu_now(), _peak(self.pid)
        if peak is None or cpu < self._cpu:
            return None, None  # the process has gone
        return round(cpu - self._cpu, 3), peak + self._children

    def _cpu_now(self) -> float:
        """CPU seconds of the process, of its dead children, and of those that live."""
        if self.pid is None:
            return 0.0
        return _cpu(self.pid) + sum(_cpu(child) for child in _descendants(self.pid, self.pid))


def _read(path: str) -> bytes:
    """A file of ``/proc``, or nothing when its process has gone."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # a hot path
            return file.read()
    except OSError:
        return b""


def _cpu(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended."""
    fields = _read(f"{PROC}/{pid}/stat").rpartition(b")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK


def _peak(pid: int) -> int | None:
    found = _read(f"{PROC}/{pid}/status").partition(b"VmHWM:")[2].split(maxsplit=1)
    return int(found[0]) * 1024 if found else None


def _resident(pid: int) -> int:
    fields = _read(f"{PROC}/{pid}/statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _descendants(pid: int, thread: int | str) -> list[int]:
    """Children of a thread of ``pid``, and theirs."""
    children = [int(child) for child in _read(f"{PROC}/{pid}/task/{thread}/children").split()]
    return children + [each for child in children for each in _descendants(child, child)]

"""Processes that a kernel has started and that outlive it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from mlops_action.kernels.usage import PROC


def kill_group(group: int) -> None:
    """Kill what is left of a kernel's process group."""
    if group and hasattr(os, "killpg") and group != os.getpgrp():
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def kill_marked(variable: str, value: str) -> None:
    """Kill processes of this user that have the variable: those that left the kernel's group.

    GitHub's runner and Jenkins tell the processes of a job in the same way. Does nothing where
    there is no ``/proc``.
    """
    for pid in _marked(f"{variable}={value}".encode()):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _marked(entry: bytes) -> Iterator[int]:
    try:
        names = os.listdir(PROC)  # noqa: PTH208  # a hundred times a run
    except OSError:
        return
    for name in names:
        if name.isdecimal() and int(name) != os.getpid() and entry in _environment(name).split(b"\0"):
            yield int(name)


def _environment(pid: str) -> bytes:
    """Variables that a process was started with; nothing when it is not ours to read."""
    try:
        with open(f"{PROC}/{pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123  # a hundred times a run
            return file.read()
    except OSError:
        return b""

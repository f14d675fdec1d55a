"""The contract of a kernel backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mlops_action.records import KernelChoice


@dataclass(frozen=True)
class Launch:
    """Everything that a kernel process is started with."""

    choice: KernelChoice
    cwd: Path
    env: Mapping[str, str]


class KernelProcess(Protocol):
    """A kernel that was started: a jupyter_client manager and what its process prints."""

    manager: Any
    pid: int | None

    def stray_text(self) -> str:
        """What the process has written to its own standard output and error since the last call."""

    def ended_by(self) -> str:
        """How the process ended, in words, or empty while it runs."""

    async def stop(self) -> None:
        """Stop the process and all that it started: ask, then terminate, then kill; leave nothing behind."""


class KernelBackend(Protocol):
    """Finds and starts kernels in one kind of place.

    Laws, tested for every backend: a kernel sees the variables of ``Launch.env`` and no
    others; what its process prints never reaches our own standard output; ``stop`` leaves
    no process, file or socket, however the kernel behaves.
    """

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none; the message lists those that there are.
        """

    async def start(self, launch: Launch) -> KernelProcess:
        """Start a kernel.

        Raises:
            KernelStartFailed: the process could not be started.
        """

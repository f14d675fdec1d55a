"""The contract of a kernel backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mlops_action.records import KernelChoice

PATIENCE_SECONDS = 5.0
HURRY_SECONDS = 0.5
"""For a kernel that did not listen, or when there is no time."""


@dataclass(frozen=True)
class Launch:
    """Everything that a kernel process is started with."""

    choice: KernelChoice
    cwd: Path
    env: Mapping[str, str]


class KernelProcess(Protocol):
    """A kernel whose process was started."""

    pid: int | None
    """Of the process, where it is one of this machine."""

    async def connect(self) -> Any:
        """The jupyter_client manager of the kernel, which need not be ready to answer yet.

        Raises:
            KernelStartFailed: the kernel could not be started after all.
        """

    def stale(self) -> bool:
        """Whether a kernel that is started now might see other libraries than this one, which has run nothing yet."""

    def stray_text(self) -> str:
        """What the process has written to its own standard output and error since the last call."""

    def ended_by(self) -> str:
        """How the process ended, in words, or empty while it runs."""

    async def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Stop the process and all that it started: ask, then terminate, then kill; leave nothing behind.

        Args:
            patience: seconds that it may take to end when it is asked to; code that the notebook
                left for the end runs then.
        """


class KernelBackend(Protocol):
    """Finds and starts kernels in one kind of place.

    Laws, tested for every backend: a kernel sees the variables of ``Launch.env`` and no
    others, but for those by which its process is known; what its process prints never reaches
    our own standard output; ``stop`` leaves no process, file or socket, however the kernel
    behaves; ``start`` does not wait until the kernel answers.
    """

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none; the message lists those that there are.
        """

    def start(self, launch: Launch) -> KernelProcess:
        """Start a kernel.

        Raises:
            KernelStartFailed: the process could not be started.
        """

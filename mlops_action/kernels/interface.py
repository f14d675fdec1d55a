"""The contract of a kernel backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mlops_action.config.model import EnvironmentSpec
from mlops_action.frozen import frozen
from mlops_action.records import KernelChoice

PATIENCE_SECONDS = 5.0
HURRY_SECONDS = 0.5
"""For a kernel that did not listen, or when there is no time."""


@frozen
class Place:
    """What a backend is made from."""

    spec: EnvironmentSpec
    root: Path
    """The project folder."""
    env: Mapping[str, str]
    """The process's environment."""


@frozen
class Launch:
    """Everything that a kernel process is started with."""

    choice: KernelChoice
    cwd: Path
    env: Mapping[str, str]


class KernelProcess(Protocol):
    """A kernel whose process was started."""

    @property
    def pid(self) -> int | None:
        """Of the process, where it is one of this machine; known at the latest when the kernel answers."""

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


class KernelStarter(Protocol):
    """Starts kernels."""

    def start(self, launch: Launch) -> KernelProcess:
        """Start a kernel.

        Raises:
            KernelStartFailed: the process could not be started.
        """


class KernelBackend(KernelStarter, Protocol):
    """Finds and starts kernels in one kind of place.

    It is made from a ``Place``. Laws, tested for every backend: a kernel sees the variables of ``Launch.env`` and no
    others, but for those of its place (an image's own, which replace those about places of the host) and those by
    which its process is known; what its process prints never reaches
    our own standard output; ``stop`` leaves no process, file or socket, however the kernel
    behaves; ``start`` does not wait until the kernel answers.
    """

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none; the message lists those that there are.
        """

    def prepare(self, choice: KernelChoice, note: Callable[[str], None]) -> KernelChoice:
        """Make the place of a kernel: build its packages, pull its image; called before the first step runs.

        What was found only now (a tag's digest, the interpreter) is in the choice that is
        returned. It is quick when there is nothing to do, and may be called again.

        Args:
            choice: what ``find`` gave.
            note: is told what takes long.

        Raises:
            EnvironmentProblem: the place cannot be made.
        """

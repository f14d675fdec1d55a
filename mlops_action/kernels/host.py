"""Kernels on this machine: any installed kernelspec."""

from __future__ import annotations

import contextlib
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any

from mlops_action.errors import KernelStartFailed
from mlops_action.kernels.interface import PATIENCE_SECONDS, Launch, Place
from mlops_action.kernels.spawn import MARK, Spawned, library_state, spawn
from mlops_action.kernels.specs import KernelFinder
from mlops_action.kernels.strays import kill_group, kill_marked
from mlops_action.records import KernelChoice

TERMINATE_SECONDS = 0.5
LOOK_SECONDS = 0.002


class HostKernels:
    """Backend for kernels of this machine."""

    def __init__(self, place: Place) -> None:
        """Use the kernelspecs of ``place``."""
        self.finder = KernelFinder(place.env, place.root, place.spec.python)

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none.
        """
        return self.finder.find(name)

    def prepare(self, choice: KernelChoice, note: Callable[[str], None]) -> KernelChoice:
        """It is there already."""
        del note
        return choice

    def start(self, launch: Launch) -> HostKernel:
        """Start the process of a kernel.

        Raises:
            KernelStartFailed: the operating system could not.
        """
        try:
            return HostKernel(launch.choice, spawn(launch))
        except (OSError, ValueError) as error:
            raise KernelStartFailed(
                f"kernel `{launch.choice.name}` could not be started: {error}",
                origin=launch.choice.spec_dir,
                hint="the command in its kernel.json must be installed: " + " ".join(launch.choice.argv[:3]),
            ) from error


class HostKernel:
    """One kernel process with its own folder for sockets and connection file."""

    def __init__(self, choice: KernelChoice, spawned: Spawned) -> None:
        """Look after a process that was just started."""
        self.choice = choice
        self.spawned = spawned
        self._manager: Any = None

    @property
    def pid(self) -> int | None:
        """Of the process, as soon as it is known."""
        return self.spawned.process.pid

    async def connect(self) -> Any:
        """The jupyter_client manager of the process."""
        if self._manager is None:
            from mlops_action.kernels.adopt import adopted

            self._manager = adopted(self.choice, self.spawned)
        return self._manager

    def stray_text(self) -> str:
        """What the process wrote past Jupyter's own channels since the last call."""
        return self.spawned.printed.take()

    def ended_by(self) -> str:
        """How the process ended, in words, or empty while it runs."""
        code = self.spawned.process.poll()
        if code is None:
            return ""
        if code == -signal.SIGKILL:
            return "it was killed (SIGKILL): most often the system ran out of memory"
        if code < 0:
            return f"it ended by signal {-code} ({signal.Signals(-code).name})"
        return f"its process ended with exit code {code}"

    def stale(self) -> bool:
        """Whether packages were installed or removed since the process was started."""
        return library_state(self.choice) != self.spawned.libraries

    async def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Ask the kernel to end, then terminate, then kill it and all that it has started."""
        if self._manager is not None:  # else nobody has talked to it: it has run nothing
            with contextlib.suppress(Exception):
                await self._manager.request_shutdown()
            if not await self._ended_within(patience):
                with contextlib.suppress(Exception):
                    await self._manager.signal_kernel(signal.SIGTERM)
                await self._ended_within(TERMINATE_SECONDS)
        kill_group(self.spawned.process.pid or 0)
        kill_marked(MARK, self.spawned.mark)
        await self._ended_within(TERMINATE_SECONDS)  # it is dead, and to be reaped
        if self.spawned.watch is not None:
            self.spawned.watch.close()
        if self._manager is not None:
            with contextlib.suppress(Exception):
                await self._manager.cleanup_resources()
        self.leave_nothing()

    def leave_nothing(self) -> None:
        """Remove the files of a process that has ended."""
        self.spawned.printed.close()
        shutil.rmtree(self.spawned.folder, ignore_errors=True)

    async def _ended_within(self, seconds: float) -> bool:
        import asyncio

        deadline = time.monotonic() + seconds
        while self.ended_by() == "":
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True

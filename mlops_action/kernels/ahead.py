"""Kernels that start while something else is still being done."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from mlops_action.errors import KernelStartFailed
from mlops_action.kernels.interface import KernelProcess, KernelStarter, Launch


class KernelsAhead:
    """A backend that starts kernels before they are asked for.

    ``expected`` are the kernels that will be asked for, in this order; ``ahead`` of them run
    before they are. A kernel that was started ahead is given to the first who asks for exactly
    the same launch; it has run nothing. One that nobody asks for is stopped by ``close``.
    """

    def __init__(self, backend: KernelStarter, expected: Sequence[Launch] = (), ahead: int = 0) -> None:
        """Start the first kernels of ``backend``; a failure is told when the kernel is asked for."""
        self.backend = backend
        self._expected = list(expected)
        self._ahead = ahead
        self._begun: list[tuple[Launch, KernelProcess]] = []
        self._lock = threading.Lock()
        self._begin()

    def start(self, launch: Launch) -> KernelProcess:
        """A kernel for ``launch``: one that was begun, or a new one; see ``KernelStarter``."""
        with self._lock:
            mine = next((process for wanted, process in self._begun if wanted == launch), None)
            self._begun = [each for each in self._begun if each[1] is not mine]
            if mine is None and launch in self._expected:
                self._expected.remove(launch)
        if mine is not None and mine.stale():
            stop_all([mine])
            mine = None
        process = mine or self.backend.start(launch)
        self._begin()
        return process

    def _begin(self) -> None:
        """Start kernels until as many wait as are wanted."""
        with self._lock:
            while self._expected and len(self._begun) < self._ahead:
                launch = self._expected.pop(0)
                with suppress(KernelStartFailed):  # told when it fails again, for the step that it belongs to
                    self._begun.append((launch, self.backend.start(launch)))

    def close(self) -> None:
        """Stop the kernels that nobody asked for."""
        with self._lock:
            left, self._begun, self._expected = [process for _, process in self._begun], [], []
        stop_all(left)


def stop_all(kernels: Sequence[KernelProcess]) -> None:
    """Stop kernels that have run nothing, in a loop of its own: it may be called from inside another one."""
    if not kernels:
        return
    import asyncio

    async def stop() -> None:
        await asyncio.gather(*(kernel.stop() for kernel in kernels))

    thread = threading.Thread(target=lambda: asyncio.run(stop()), name="stop kernels")
    thread.start()
    thread.join()

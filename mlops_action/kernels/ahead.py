"""Kernels that start while something else is still being done."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from mlops_action.kernels.interface import KernelBackend, KernelProcess, Launch
from mlops_action.records import KernelChoice


class KernelsAhead:
    """A backend that can begin to start a kernel before it is asked for.

    A kernel that was begun is given to the first who asks for exactly the same launch; it
    has run nothing. One that nobody asks for is stopped by ``close``.
    """

    def __init__(self, backend: KernelBackend) -> None:
        """Start kernels of ``backend``."""
        self.backend = backend
        self._threads: ThreadPoolExecutor | None = None
        self._begun: list[tuple[Launch, Future[KernelProcess]]] = []
        self._lock = threading.Lock()

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name; see ``KernelBackend``."""
        return self.backend.find(name)

    def begin(self, launch: Launch) -> None:
        """Begin to start a kernel, in a thread of its own; a failure is told when it is asked for."""
        with self._lock:
            self._threads = self._threads or ThreadPoolExecutor(thread_name_prefix="kernel-ahead")
            self._begun.append((launch, self._threads.submit(self._start, launch)))

    def _start(self, launch: Launch) -> KernelProcess:
        return asyncio.run(self.backend.start(launch))

    async def start(self, launch: Launch) -> KernelProcess:
        """A kernel for ``launch``: one that was begun, or a new one; see ``KernelBackend``."""
        with self._lock:
            mine = next((each for each in self._begun if each[0] == launch), None)
            if mine is not None:
                self._begun.remove(mine)
        return await (asyncio.wrap_future(mine[1]) if mine is not None else self.backend.start(launch))

    def close(self) -> None:
        """Stop the kernels that nobody asked for."""
        with self._lock:
            left, self._begun = self._begun, []
        for _, begun in left:
            if begun.exception() is None:
                asyncio.run(begun.result().stop())
        if self._threads is not None:
            self._threads.shutdown()

"""Warm starts: a standard ipykernel is forked from a process that has imported its libraries already."""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from mlops_action.kernels.forking import ForkedProcess, ForkServer
from mlops_action.kernels.host import TERMINATE_SECONDS, HostKernel, HostKernels
from mlops_action.kernels.interface import PATIENCE_SECONDS, KernelBackend, KernelProcess, Launch, Place
from mlops_action.kernels.launcher import standard_parts
from mlops_action.kernels.packages import PackagesKernels
from mlops_action.kernels.spawn import MARK, prepared, spawned
from mlops_action.kernels.strays import kill_group, kill_marked
from mlops_action.records import KernelChoice

Key = tuple[object, ...]


class WarmKernels:
    """Backend that forks standard ipykernels, and starts any other kernel as the backend below it does.

    There is a fork server for each command and environment of kernels, started when it is first
    needed. It is not used any more when what it has imported has changed, and it ends with
    this object, with the process, or when the process is killed. A launch that is asked for again
    is likely to be asked for once more: a spare kernel for it is forked meanwhile.
    """

    def __init__(self, place: Place) -> None:
        """Find kernels as without ``warm``."""
        cold = replace(place, spec=replace(place.spec, warm=False, preload=()))
        self.below: KernelBackend = PackagesKernels(cold) if place.spec.packages else HostKernels(cold)
        self.preload = place.spec.preload
        self._reasons = _Reasons()
        self._lock = threading.Lock()
        self._servers: dict[Key, ForkServer] = {}
        self._retired: list[ForkServer] = []
        self._last: Launch | None = None
        self._spare = _Spare()
        weakref.finalize(self, _close, self._spare, self._servers, self._retired)

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none.
        """
        return self.below.find(name)

    def prepare(self, choice: KernelChoice, note: Callable[[str], None]) -> KernelChoice:
        """Make the place below."""
        self._reasons.note = note
        return self.below.prepare(choice, note)

    def state(self, choice: KernelChoice) -> str:
        """Whether the place below has to be made."""
        return self.below.state(choice) if isinstance(self.below, PackagesKernels) else ""

    def start(self, launch: Launch) -> KernelProcess:
        """Have a kernel forked, or start it as the backend below does where that cannot be.

        Raises:
            KernelStartFailed: the operating system could not start it.
        """
        why = _unsuited(launch)
        if why:
            self._reasons.tell(why)
        if why or not launch.cwd.is_dir():
            return self.below.start(launch)
        try:
            with self._lock:
                server = self._server(launch)
                if not server.unsafe:
                    return self._forked(launch, server)
        except OSError:
            pass  # told by the other way, which fails as well
        return self.below.start(launch)

    def servers(self) -> list[int]:
        """Processes of the fork servers that run now."""
        with self._lock:
            return [server.process.pid for server in (*self._servers.values(), *self._retired)]

    def processes(self) -> list[int]:
        """The fork servers that run now, and the spare kernel."""
        return [*self.servers(), *self._spare.processes()]

    def _forked(self, launch: Launch, server: ForkServer) -> WarmKernel:
        """The spare kernel when it is for ``launch``, else a new one; then another spare if one is likely to be used.

        Raises:
            OSError: there is no room for its files.
        """
        kernel = self._spare.take(launch) or WarmKernel(launch, server)
        if launch == self._last and not self._spare.suits(launch):
            with suppress(OSError):  # told when somebody asks for it
                self._spare.keep(launch, WarmKernel(launch, server))
        self._last = launch
        return kernel

    def _server(self, launch: Launch) -> ForkServer:
        """The fork server for kernels like this one; one that has imported other libraries is left to its kernels."""
        for old in [server for server in self._retired if not server.lives()]:
            old.close()
            self._retired.remove(old)
        variables = (*sorted(launch.env.items()), *sorted(launch.choice.env.items()))
        key = (launch.choice.argv, variables, launch.cwd if self.preload else None)
        server = self._servers.get(key)
        if server is not None and (not server.fresh() or (server.gone and not server.unsafe)):
            self._retired.append(self._servers.pop(key))
            server = None
        if server is None:
            server = self._servers[key] = ForkServer(launch, self.preload, self._reasons.tell)
        return server


class _Spare:
    """At most one kernel that nobody has asked for yet; it has run nothing."""

    def __init__(self) -> None:
        self._launch: Launch | None = None
        self._kernel: WarmKernel | None = None

    def processes(self) -> list[int]:
        """Its process, as soon as it is known."""
        return [self._kernel.pid] if self._kernel is not None and self._kernel.pid else []

    def suits(self, launch: Launch) -> bool:
        """Whether it was forked for exactly this."""
        return self._kernel is not None and self._launch == launch

    def take(self, launch: Launch) -> WarmKernel | None:
        """Give it away if it is what a new one would be."""
        kernel = self._kernel
        if kernel is None or not self.suits(launch):
            return None
        if kernel.stale() or kernel.ended_by():
            self.discard()
            return None
        self._kernel = None
        return kernel

    def keep(self, launch: Launch, kernel: WarmKernel) -> None:
        """Keep ``kernel`` instead of the one that is here."""
        self.discard()
        self._launch, self._kernel = launch, kernel

    def discard(self) -> None:
        """Kill it, if it is there."""
        if self._kernel is not None:
            self._kernel.discard()
            self._kernel = None


class _Reasons:
    """Tells each reason for which kernels are not forked once."""

    def __init__(self) -> None:
        self.note: Callable[[str], None] = lambda _: None
        self._told: set[str] = set()

    def tell(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            self.note(f"warm: kernels are started the usual way: {why}")


class WarmKernel(HostKernel):
    """A kernel that is forked; its process is no child of ours."""

    def __init__(self, launch: Launch, server: ForkServer) -> None:
        """Ask ``server`` for it.

        Raises:
            OSError: there is no room for its files.
        """
        ready = prepared(launch)
        self.process = ForkedProcess(server, ready)
        super().__init__(launch.choice, replace(spawned(ready, self.process), libraries=server.libraries))

    def stale(self) -> bool:
        """Whether what the server has imported has changed since."""
        return super().stale() or not self.process.server.fresh()

    def ended_by(self) -> str:
        """How the process ended, in words, or empty while it runs."""
        if super().ended_by() and self.process.lost:
            return "the process that it was forked from has ended"
        return super().ended_by()

    async def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Stop it as any other kernel; one that was not forked yet never will be."""
        self.process.drop()
        await super().stop(patience)
        if self.process.watch is not None:
            self.process.watch.close()

    def discard(self) -> None:
        """Kill it, which has run nothing and which nobody talks to; leave nothing behind."""
        self.process.drop()
        kill_group(self.process.pid or 0)
        kill_marked(MARK, self.spawned.mark)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(TERMINATE_SECONDS)
        if self.process.watch is not None:
            self.process.watch.close()
        self.leave_nothing()


def _unsuited(launch: Launch) -> str:
    """Why a kernel cannot be forked; empty when it may be."""
    if sys.platform != "linux":
        return "a process can safely be forked on Linux only"
    if standard_parts(launch.choice.argv) is None:
        return f"`{launch.choice.name}` is not started by `python -m ipykernel_launcher`"
    return ""


def _close(spare: _Spare, servers: dict[Key, ForkServer], retired: list[ForkServer]) -> None:
    spare.discard()
    for server in (*servers.values(), *retired):
        server.close()
    servers.clear()
    retired.clear()

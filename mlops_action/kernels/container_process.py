"""One kernel in one container: made, watched, stopped and removed."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import threading
import time
import weakref
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from mlops_action.config.values import size_text
from mlops_action.errors import KernelStartFailed, MlopsError
from mlops_action.kernels.container_config import CONNECTION, SOCKETS, Site, archive, kernel_config, variables
from mlops_action.kernels.container_engine import explained
from mlops_action.kernels.container_ipykernel import PACKAGES, Loan, borrowing
from mlops_action.kernels.container_mounts import shared_folder
from mlops_action.kernels.container_output import Heard
from mlops_action.kernels.container_owner import clear, labels
from mlops_action.kernels.interface import PATIENCE_SECONDS, Launch
from mlops_action.kernels.launcher import history_arguments, quick_command
from mlops_action.kernels.spawn import LONGEST_SOCKET, PORTS

TERMINATE_SECONDS = 0.5
LAST_SECONDS = 5.0
"""For threads whose container was removed."""
OOM_SECONDS = 0.5
"""The engine may notice after the process has ended why it did."""
FIRST_PORT = 51001
CHILD_SECONDS = 0.2


class ContainerKernel:
    """A kernel in a container of its own, made in the background."""

    def __init__(self, site: Site, launch: Launch, loan: Loan | None) -> None:
        """Begin to make the container.

        Raises:
            EnvironmentProblem: there is no folder that the engine can see.
        """
        self.site, self.launch, self.loan = site, launch, loan
        self.pid: int | None = None
        self.folder = shared_folder(site.outside, site.root, os.environ)
        self.ipc = site.by_socket(launch.choice)
        self.info = self._connection()
        self.container = ""
        self._client = site.engine.client()
        self._begun: Future[None] = Future()
        self.over = threading.Event()
        self._how = ""
        self._printed = Heard()
        self._threads = [threading.Thread(target=self._live, name="container", daemon=True)]
        self._manager: Any = None
        self._handle = -1
        self._removed = threading.Lock()
        _alive.add(self)
        self._threads[0].start()

    def _connection(self) -> dict[str, Any]:
        """Where the kernel listens, for itself."""
        return {
            "transport": "ipc" if self.ipc else "tcp",
            "ip": f"{SOCKETS}/k" if self.ipc else "0.0.0.0",  # noqa: S104  # of the container, and never published
            **{name: i + (1 if self.ipc else FIRST_PORT) for i, name in enumerate(PORTS)},
            "key": os.urandom(32).hex(),
            "signature_scheme": "hmac-sha256",
            "kernel_name": self.launch.choice.name,
        }

    # In the background

    def _live(self) -> None:
        """Make the container, start it, and wait for its end."""
        self._begun.set_running_or_notify_cancel()  # from now on nobody can call it off but by ``stop``
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever waits is told
            self._how = f"its container could not be started: {_said(error)}"
            self.over.set()
            self._begun.set_exception(self._failure(error))
            return
        self._begun.set_result(None)
        try:
            code = self._client.wait(self.container, timeout=None)["StatusCode"]
            self._how = self._ending(code)
        except Exception as error:  # noqa: BLE001
            self._how = f"its container is gone: {_said(error)}"
        self.over.set()

    def _begin(self) -> None:
        site, choice = self.site, self.launch.choice
        self.site.give(self.folder)
        own = labels(self.folder.name, site.outside.container, self.folder)
        lent = {str(self.loan.folder): PACKAGES} if self.loan else {}
        argv = [*quick_command(choice.argv), *history_arguments(choice.argv)]
        argv = borrowing(argv) if self.loan else argv
        filled = {"{connection_file}": CONNECTION, "{resource_dir}": choice.spec_dir}
        self.container = self._client.create_container(
            **kernel_config(site, self.folder, own, lent),
            entrypoint=[_filled(part, filled) for part in argv],
            working_dir=str(self.launch.cwd),
            environment=variables(site, choice, self.launch.env, self.folder.name),
        )["Id"]
        links = self.loan.links() if self.loan else {}
        self._client.put_archive(self.container, "/", archive(site, json.dumps(self.info).encode(), links))
        stream = self._client.attach(self.container, stdout=True, stderr=True, stream=True)
        self._threads.append(threading.Thread(target=self._printed.listen, args=(stream,), daemon=True))
        self._threads[1].start()
        self._client.start(self.container)
        self._look()

    def _look(self) -> None:
        """What is known only when it runs: its address and its process."""
        state = self._client.inspect_container(self.container)
        if not self.ipc:
            networks = (state["NetworkSettings"].get("Networks") or {}).values()
            address = next((each["IPAddress"] for each in networks if each.get("IPAddress")), "")
            if not address and state["State"]["Running"]:
                raise KernelStartFailed("its container has no address of its own")
            self.info = {**self.info, "ip": address}
        self.pid = _kernel_process(int(state["State"].get("Pid") or 0), self.container)

    def _failure(self, error: Exception) -> KernelStartFailed:
        said, image = _said(error), self.site.spec.image
        hint = f"try its image by hand: `docker run --rm {image} true`"
        if any(init in said for init in ("docker-init", "catatonit", "init binary")):
            hint = "install the engine's init: `tini` (docker-init) for Docker, `catatonit` for Podman"
        elif "device driver" in said or "nvidia" in said.lower():
            hint = "`gpus` needs NVIDIA's container toolkit on the engine's machine"
        return KernelStartFailed(
            f"kernel `{self.launch.choice.name}` could not be started in a container of `{image}`: {said}", hint=hint
        )

    def _ending(self, code: int) -> str:
        """How the container ended, in words."""
        if code == 128 + signal.SIGKILL:
            limit = self.site.spec.memory
            if self._out_of_memory():
                return "it ran out of memory" + (f": the container's limit is {size_text(limit)}" if limit else "")
            cause = f"it needed more memory than the container's limit of {size_text(limit)}" if limit else ""
            return f"it was killed (SIGKILL): most often {cause or 'the system ran out of memory'}"
        if code > 128 and code - 128 in {int(each) for each in signal.Signals}:
            return f"it ended by signal {code - 128} ({signal.Signals(code - 128).name})"
        return f"its process ended with exit code {code}"

    def _out_of_memory(self) -> bool:
        deadline = time.monotonic() + OOM_SECONDS
        while not self._removed.locked():
            if self._client.inspect_container(self.container)["State"].get("OOMKilled"):
                return True
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        return False

    # For whoever uses the kernel

    async def connect(self) -> Any:
        """The jupyter_client manager of the kernel, when its container runs.

        Raises:
            KernelStartFailed: it could not be started.
        """
        import asyncio

        await asyncio.wrap_future(self._begun)
        if self._manager is None:
            from mlops_action.kernels.container_manager import managed

            self._manager = managed(self)
        return self._manager

    def reached(self) -> dict[str, Any]:
        """How the kernel is reached from here."""
        if not self.ipc:
            return self.info
        place = self.folder
        if len(str(place)) >= LONGEST_SOCKET:
            if self._handle < 0:
                self._handle = os.open(place, os.O_PATH | os.O_DIRECTORY)
            place = Path(f"/proc/self/fd/{self._handle}")
        return {**self.info, "ip": str(place / "k")}

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel and the processes of its group; nothing when it has ended."""
        from docker.errors import DockerException

        with contextlib.suppress(DockerException, OSError):
            self._client.kill(self.container, signal.Signals(number).name)

    def stray_text(self) -> str:
        """What the container printed past Jupyter's own channels since the last call."""
        return self._printed.take()

    def ended_by(self) -> str:
        """How the container ended, in words, or empty while it runs or is made."""
        return self._how if self.over.is_set() else ""

    def stale(self) -> bool:
        """Never: what it sees is its image, and that does not change."""
        return False

    async def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Ask the kernel to end, then terminate it, then remove its container and all that is in it."""
        import asyncio

        if self._manager is not None and not self.over.is_set():
            with contextlib.suppress(Exception):
                await self._manager.request_shutdown()
            if not await asyncio.to_thread(self.over.wait, patience):
                await asyncio.to_thread(self.send_signal, signal.SIGTERM)
                await asyncio.to_thread(self.over.wait, TERMINATE_SECONDS)
        await asyncio.to_thread(self.remove)
        if self._manager is not None:
            with contextlib.suppress(Exception):
                await self._manager.cleanup_resources()

    def remove(self) -> None:
        """Remove the container with all that it holds, and what is here for it. Can be called again."""
        if not self._removed.acquire(blocking=False):
            return
        from docker.errors import DockerException

        _alive.discard(self)
        with contextlib.suppress(Exception):
            self._begun.exception()  # it is still being made: not long
        if self.container:
            with contextlib.suppress(DockerException, OSError):
                self._client.remove_container(self.container, force=True, v=True)
        for thread in self._threads:
            thread.join(LAST_SECONDS)
        self._client.close()
        clear(str(self.folder))
        if self._handle >= 0:
            os.close(self._handle)


_alive: weakref.WeakSet[ContainerKernel] = weakref.WeakSet()


@atexit.register
def _remove_all() -> None:
    """A way out of the process that stops no kernel leaves no container either."""
    for kernel in list(_alive):
        kernel.remove()


def _filled(part: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        part = part.replace(name, value)
    return part


def _said(error: Exception) -> str:
    return error.message if isinstance(error, MlopsError) else explained(error)


def _kernel_process(init: int, container: str) -> int | None:
    """Our number of the kernel's process, when we can see it: the first child of the container's init."""
    deadline = time.monotonic() + CHILD_SECONDS
    with contextlib.suppress(OSError):
        while init and container in Path(f"/proc/{init}/cgroup").read_text():
            children = Path(f"/proc/{init}/task/{init}/children").read_text().split()
            if children:
                return int(children[0])
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
    return None

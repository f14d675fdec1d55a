"""Kernels on this machine: any installed kernelspec, started by jupyter_client."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from mlops_action.errors import KernelStartFailed
from mlops_action.kernels.guard import without_debugger
from mlops_action.kernels.interface import Launch
from mlops_action.kernels.specs import KernelFinder
from mlops_action.records import KernelChoice

IPC_LANGUAGES = {"python", "r", "bash"}
"""Languages whose kernels are known to speak over Unix sockets; others get TCP on loopback."""
ASK_SECONDS = 1.5
TERMINATE_SECONDS = 0.5
STRAY_LIMIT = 1_000_000


class HostKernels:
    """Backend for kernels of this machine."""

    def __init__(self, finder: KernelFinder) -> None:
        """Use the kernelspecs that ``finder`` finds."""
        self.finder = finder

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none.
        """
        return self.finder.find(name)

    async def start(self, launch: Launch) -> HostKernel:
        """Start a kernel.

        Raises:
            KernelStartFailed: the operating system could not start the process.
        """
        kernel = HostKernel(launch)
        try:
            await kernel.start(launch)
        except BaseException as error:
            await kernel.stop()
            if isinstance(error, OSError):
                raise KernelStartFailed(
                    f"kernel `{launch.choice.name}` could not be started: {error}",
                    origin=launch.choice.spec_dir,
                    hint="the command in its kernel.json must be installed: " + " ".join(launch.choice.argv[:3]),
                ) from error
            raise
        return kernel


class HostKernel:
    """One kernel process with its own folder for sockets and connection file."""

    def __init__(self, launch: Launch) -> None:
        """Prepare a manager; nothing is started yet."""
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager

        chosen = KernelSpec.from_resource_dir(launch.choice.spec_dir)
        chosen.argv = without_debugger(launch.choice.argv)

        class ChosenSpec(KernelSpecManager):
            def get_kernel_spec(self, kernel_name: str) -> Any:  # noqa: ARG002
                return chosen

        self.folder = Path(tempfile.mkdtemp(prefix="mlops-"))
        ipc = os.name == "posix" and launch.choice.language.lower() in IPC_LANGUAGES
        self.manager: Any = AsyncKernelManager(
            kernel_name=launch.choice.name,
            kernel_spec_manager=ChosenSpec(),
            transport="ipc" if ipc else "tcp",
            connection_file=str(self.folder / "kernel.json"),
        )
        self._printed = _Printed()
        self._group = 0
        self.pid: int | None = None

    async def start(self, launch: Launch) -> None:
        """Start the process in ``launch.cwd`` with nothing but ``launch.env``.

        IPython keeps no history of the cells on disk: it would hold secret parameters.
        """
        extra = ["--HistoryManager.hist_file=:memory:"] if any("ipykernel" in p for p in launch.choice.argv) else []
        try:
            await self.manager.start_kernel(
                extra_arguments=extra,
                cwd=str(launch.cwd),
                env={**launch.env, **self._homes(launch)},
                stdin=subprocess.DEVNULL,
                stdout=self._printed.write_end,
                stderr=self._printed.write_end,
            )
            self._group = self.manager.provisioner.pgid or 0
            self.pid = self.manager.provisioner.pid
        finally:
            self._printed.close_write_end()

    def _homes(self, launch: Launch) -> dict[str, str]:
        """Folders for IPython and matplotlib that go with the kernel, where HOME cannot be written."""
        if os.access(launch.env.get("HOME", "/"), os.W_OK):
            return {}
        wanted = {"IPYTHONDIR": str(self.folder / "ipython"), "MPLCONFIGDIR": str(self.folder / "matplotlib")}
        return {name: path for name, path in wanted.items() if name not in launch.env}

    def stray_text(self) -> str:
        """What the process wrote past Jupyter's own channels since the last call."""
        return self._printed.take()

    def ended_by(self) -> str:
        """How the process ended, in words, or empty while it runs."""
        process = getattr(self.manager.provisioner, "process", None)
        code = process.poll() if process is not None else None
        if code is None:
            return ""
        if code == -signal.SIGKILL:
            return "it was killed (SIGKILL): most often the system ran out of memory"
        if code < 0:
            return f"it ended by signal {-code} ({signal.Signals(-code).name})"
        return f"its process ended with exit code {code}"

    async def stop(self) -> None:
        """Ask the kernel to end, then terminate, then kill its whole process group."""
        manager = self.manager
        if manager.has_kernel:
            with contextlib.suppress(Exception):
                await manager.request_shutdown()
            for seconds, number in ((ASK_SECONDS, signal.SIGTERM), (TERMINATE_SECONDS, None)):
                if await self._ended_within(seconds):
                    break
                if number is not None:
                    with contextlib.suppress(Exception):
                        await manager.signal_kernel(number)
            with contextlib.suppress(Exception):
                await manager.shutdown_kernel(now=True)
        self._kill_group()
        with contextlib.suppress(Exception):
            manager.cleanup_connection_file()
        self._printed.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _ended_within(self, seconds: float) -> bool:
        import asyncio

        deadline = time.monotonic() + seconds
        while self.ended_by() == "":
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    def _kill_group(self) -> None:
        """Children that the kernel left behind are in its process group."""
        if self._group and hasattr(os, "killpg") and self._group != os.getpgrp():
            with contextlib.suppress(OSError):
                os.killpg(self._group, signal.SIGKILL)


class _Printed:
    """A pipe for the process's own output, read by a thread so that it never fills."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self.chunks: list[bytes] = []
        self.size = 0
        self.lock = threading.Lock()
        self.open_write = True
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self.read_end, 65536):
                with self.lock:
                    if self.size < STRAY_LIMIT:
                        self.chunks.append(data)
                        self.size += len(data)

    def take(self) -> str:
        with self.lock:
            data = b"".join(self.chunks)
            self.chunks.clear()
            self.size = 0
        return data.decode("utf-8", errors="replace")

    def close_write_end(self) -> None:
        if self.open_write:
            os.close(self.write_end)
            self.open_write = False

    def close(self) -> None:
        """Give the reader a moment for the last words; a grandchild may hold the pipe open for ever."""
        self.close_write_end()
        self.reader.join(timeout=0.2)
        if not self.reader.is_alive():
            with contextlib.suppress(OSError):
                os.close(self.read_end)

"""Starting the process of a kernel: its connection file, its environment, and a pipe for what it prints.

Nothing of Jupyter is imported here: its libraries take as long to import as a kernel takes to
start, and both can happen at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any, Protocol

from mlops_action.frozen import frozen
from mlops_action.kernels.interface import Launch
from mlops_action.kernels.launcher import history_arguments, quick_command
from mlops_action.kernels.watch import Watch
from mlops_action.records import KernelChoice

IPC_KERNELS = ("ipykernel", "IRkernel", "bash_kernel")
"""Programs that are known to speak over Unix sockets; others get TCP on loopback."""
LONGEST_SOCKET = 90
"""Characters; a Unix socket's path may have 107, and Jupyter adds a port number."""
PORTS = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")
MARK = "MLOPS_ACTION_KERNEL"
"""Variable by which processes that a kernel has started are known when it is gone."""
STRAY_LIMIT = 1_000_000


class Process(Protocol):
    """What is used of ``subprocess.Popen``; not every kernel's process is a child of ours."""

    @property
    def pid(self) -> int | None:
        """Its number, as soon as it is known; it leads a session and a group of its own."""

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""


@frozen
class Prepared:
    """Everything that the process of a kernel is started with."""

    folder: Path
    info: dict[str, Any]
    argv: list[str]
    cwd: Path
    env: dict[str, str]
    printed: Printed
    libraries: tuple[int, ...]

    def popen(self) -> subprocess.Popen[bytes]:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        process = subprocess.Popen(
            self.argv,
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self.printed.write_end,
            stderr=self.printed.write_end,
            start_new_session=True,
        )
        self.printed.close_write_end()
        return process

    def discard(self) -> None:
        """Leave nothing of it."""
        self.printed.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@frozen
class Spawned:
    """A process that was started."""

    folder: Path
    """Of this process alone, mode 0700; holds its connection file and its sockets."""
    info: dict[str, Any]
    """What the connection file says."""
    process: Process
    printed: Printed
    mark: str
    """Value of the variable ``MARK`` in it and in all that it starts."""
    libraries: tuple[int, ...]
    """See ``library_state``, of the moment before it was started."""
    watch: Watch | None = None
    """Ends it when we are gone; none where someone else does."""

    @property
    def connection_file(self) -> Path:
        """Where Jupyter's clients read how to connect."""
        return self.folder / "kernel.json"


def spawn(launch: Launch) -> Spawned:
    """Start the process of a kernel in ``launch.cwd`` with nothing but ``launch.env``.

    Raises:
        OSError: it cannot be started.
    """
    ready = prepared(launch)
    watch = Watch(MARK, ready.folder.name, ready.folder)
    try:
        process = ready.popen()
    except BaseException:
        watch.close()
        ready.discard()
        raise
    watch.over(process.pid)
    return replace(spawned(ready, process), watch=watch)


def spawned(ready: Prepared, process: Process) -> Spawned:
    """``process``, which was started with what is ``ready``."""
    return Spawned(ready.folder, ready.info, process, ready.printed, ready.folder.name, ready.libraries)


def prepared(launch: Launch) -> Prepared:
    """What a process for ``launch`` needs: a folder with a connection file, and a pipe for what it prints.

    Raises:
        OSError: there is no room for it.
    """
    libraries = library_state(launch.choice)
    folder = Path(tempfile.mkdtemp(prefix="mlops-"))
    printed = Printed()
    try:
        info = _connection(launch, folder)
        file = folder / "kernel.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(info))
        own = {"connection_file": str(file), "resource_dir": launch.choice.spec_dir}
        argv = [*quick_command(launch.choice.argv), *history_arguments(launch.choice.argv)]
        filled = [_filled(part, own) for part in argv]
        return Prepared(folder, info, filled, launch.cwd, variables(launch, folder), printed, libraries)
    except BaseException:
        printed.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise


def library_state(choice: KernelChoice) -> tuple[int, ...]:
    """Changes whenever the kernelspec does, or a package is installed beside the kernel's interpreter."""
    prefix = Path(choice.argv[0]).parent.parent
    places = [Path(choice.spec_dir) / "kernel.json", *sorted(prefix.glob("lib/python*/site-packages"))]
    return tuple(place.stat().st_mtime_ns for place in places if place.exists())


def _filled(part: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        part = part.replace(f"{{{name}}}", value)
    return part


def _connection(launch: Launch, folder: Path) -> dict[str, Any]:
    """Where the kernel shall listen, and the key that messages are signed with."""
    ipc = os.name == "posix" and speaks_ipc(launch.choice) and len(str(folder)) < LONGEST_SOCKET
    return {
        "transport": "ipc" if ipc else "tcp",
        "ip": str(folder / "k") if ipc else "127.0.0.1",
        **(dict(zip(PORTS, range(1, 6), strict=True)) if ipc else _free_ports()),
        "key": os.urandom(32).hex(),
        "signature_scheme": "hmac-sha256",
        "kernel_name": launch.choice.name,
    }


def speaks_ipc(choice: KernelChoice) -> bool:
    """Whether a kernel is known to listen on Unix sockets."""
    command = " ".join(choice.argv)
    return any(known in command for known in IPC_KERNELS)


def _free_ports() -> dict[str, int]:
    from jupyter_client.connect import LocalPortCache

    ports = LocalPortCache.instance()
    return {name: ports.find_available_port("127.0.0.1") for name in PORTS}


def variables(launch: Launch, folder: Path) -> dict[str, str]:
    """The launch's variables, those of the kernelspec, and what makes the process ours."""
    env = {
        **launch.env,
        **{name: Template(value).safe_substitute(launch.env) for name, value in launch.choice.env.items()},
    }
    if not os.access(env.get("HOME", "/"), os.W_OK):
        homes = {"IPYTHONDIR": str(folder / "ipython"), "MPLCONFIGDIR": str(folder / "matplotlib")}
        env = {**homes, **env}
    # A kernel of IPython's ends itself when the process of this number has gone.
    return {**env, MARK: folder.name, "JPY_PARENT_PID": str(os.getpid())}


class Printed:
    """A pipe for the process's own output, read by a thread so that it never fills."""

    def __init__(self) -> None:
        """Open the pipe and begin to read."""
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
        """What was printed since the last call."""
        with self.lock:
            data = b"".join(self.chunks)
            self.chunks.clear()
            self.size = 0
        return data.decode("utf-8", errors="replace")

    def close_write_end(self) -> None:
        """Leave the process the only one that can write."""
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

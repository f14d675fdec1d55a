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
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

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


@dataclass(frozen=True)
class Spawned:
    """A process that was started."""

    folder: Path
    """Of this process alone, mode 0700; holds its connection file and its sockets."""
    info: dict[str, Any]
    """What the connection file says."""
    process: subprocess.Popen[bytes]
    printed: Printed
    watch: Watch
    mark: str
    """Value of the variable ``MARK`` in it and in all that it starts."""
    libraries: tuple[int, ...]
    """See ``library_state``, of the moment before it was started."""

    @property
    def connection_file(self) -> Path:
        """Where Jupyter's clients read how to connect."""
        return self.folder / "kernel.json"


def spawn(launch: Launch) -> Spawned:
    """Start the process of a kernel in ``launch.cwd`` with nothing but ``launch.env``.

    Raises:
        OSError: it cannot be started.
    """
    libraries = library_state(launch.choice)
    folder = Path(tempfile.mkdtemp(prefix="mlops-"))
    printed = Printed()
    watch = Watch(MARK, folder.name, folder)
    try:
        info = _connection(launch, folder)
        file = folder / "kernel.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(info))
        own = {"connection_file": str(file), "resource_dir": launch.choice.spec_dir}
        argv = [*quick_command(launch.choice.argv), *history_arguments(launch.choice.argv)]
        process = subprocess.Popen(
            [_filled(part, own) for part in argv],
            cwd=launch.cwd,
            env=_environment(launch, folder),
            stdin=subprocess.DEVNULL,
            stdout=printed.write_end,
            stderr=printed.write_end,
            start_new_session=True,
        )
    except BaseException:
        watch.close()
        printed.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    watch.over(process.pid)
    printed.close_write_end()
    return Spawned(folder, info, process, printed, watch, folder.name, libraries)


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
    command = " ".join(launch.choice.argv)
    ipc = os.name == "posix" and any(known in command for known in IPC_KERNELS)
    ipc = ipc and len(str(folder)) < LONGEST_SOCKET
    return {
        "transport": "ipc" if ipc else "tcp",
        "ip": str(folder / "k") if ipc else "127.0.0.1",
        **(dict(zip(PORTS, range(1, 6), strict=True)) if ipc else _free_ports()),
        "key": os.urandom(32).hex(),
        "signature_scheme": "hmac-sha256",
        "kernel_name": launch.choice.name,
    }


def _free_ports() -> dict[str, int]:
    from jupyter_client.connect import LocalPortCache

    ports = LocalPortCache.instance()
    return {name: ports.find_available_port("127.0.0.1") for name in PORTS}


def _environment(launch: Launch, folder: Path) -> dict[str, str]:
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

"""The program of a fork server: it has imported ipykernel and what is to be preloaded, and forks a kernel per request.

Its text is given to the kernels' interpreter (see ``forking.py``), which knows nothing of
mlops_action: only the standard library is imported here.

It is the parent of the kernels, and tells the tool how each ended. The other way, a tool that
adopts orphans (PR_SET_CHILD_SUBREAPER), would change the tool's whole process, whose other
children may leave orphans too, and would leave nobody to clean up when the tool is killed.
As it is, the tool's death closes the control socket, the server kills its kernels and ends;
and when the server dies as well, each kernel sees its parent gone and ends by itself.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

LATER = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "faulthandler",
    "sqlite3",
    "tornado.platform.asyncio",
    "tornado.queues",
    "unicodedata",
)
"""What a kernel imports by the end of its first cell."""
HARMLESS_FILES = ("/dev/null", "/dev/urandom", "/dev/random")
MARK = b"MLOPS_ACTION_KERNEL"


class Server:
    """Forks kernels until the tool is gone."""

    def __init__(self, control: int, life: int, preload: list[str]) -> None:
        """``control`` is the socket to the tool; ``life`` a pipe that it holds open."""
        self.control = socket.socket(fileno=control)
        self.preload = preload
        self.environment = dict(os.environ)
        self.mark = _address_of(MARK)
        self.umask = os.umask(0o077)
        os.umask(self.umask)
        self.kernels: dict[int, int] = {}
        """Number of the request by the kernel's process."""
        self.folders: dict[int, str] = {}
        self.text = b""
        self.files: list[int] = []
        _die_with(life)
        self.load()
        os.close(life)
        self.told, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self.told, False)
        self.own = {0, 1, 2, control, self.told, wake}
        self.usual = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)

    def load(self) -> None:
        """Import everything; a module that is not there is told."""
        for name in LATER:
            with suppress(ImportError):
                importlib.import_module(name)
        with suppress(Exception):  # compiles regular expressions that every cell needs
            importlib.import_module("IPython.core.inputtransformer2").TransformerManager().transform_cell("print()")
        self.usual_modules = set(sys.modules)
        sys.path.insert(0, "")  # as in a kernel: modules of the project can be preloaded
        self.trouble = ""
        for name in self.preload:
            try:
                importlib.import_module(name)
            except BaseException as error:  # noqa: BLE001  # whatever a module does when it is imported
                self.trouble = f"`{name}` cannot be imported: {type(error).__name__}: {error}"
        sys.path.remove("")

    def serve(self) -> dict[str, Any]:
        """Answer requests. Returns in each kernel, with what its app is given; never in the server."""
        unsafe = self.trouble or self.unsafe()
        if unsafe:
            self.tell(unsafe=unsafe)
            os._exit(0)
        gc.collect()
        gc.freeze()  # the collector would write to every page, and so copy it into every kernel
        self.tell(ready=os.getpid(), files=_sources(self.usual_modules))
        while True:
            ready: list[int] = select.select([self.control.fileno(), self.told], [], [])[0]
            self.reap()
            for request in self.requests() if self.control.fileno() in ready else ():
                output = self.files.pop(0) if "argv" in request else -1
                if "drop" in request:
                    self.kill([pid for pid, number in self.kernels.items() if number == request["drop"]])
                elif self.forked(request, output):
                    return self.become(request, output)

    def unsafe(self) -> str:
        """Why forking would not give what a fresh process is; empty when it does."""
        threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        if threads:
            return f"threads run: {', '.join(threads)}"
        held = _open_files(self.own)
        if held:
            return f"files are open: {', '.join(held)}"
        if _tasks() > 1:
            # BLAS libraries stop their threads when a process forks, and start them again when they
            # are needed. One that does so has no thread after a fork.
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        return f"{_tasks() - 1} threads of native code run" if _tasks() > 1 else ""

    def requests(self) -> list[dict[str, Any]]:
        """What has come from the tool; when it has gone, the server ends with all its kernels."""
        data, files, _, _ = socket.recv_fds(self.control, 65536, 16)
        if not data:
            self.kill(list(self.kernels))
            for pid in self.kernels:
                shutil.rmtree(self.folders[pid], ignore_errors=True)  # it holds the key of the kernel's messages
            os._exit(0)
        self.files += files
        *lines, self.text = (self.text + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def forked(self, request: dict[str, Any], output: int) -> bool:
        """Fork; whether this is the kernel."""
        number, pid = request["number"], None
        try:
            if os.path.exists(request["folder"]):  # noqa: PTH110  # else nobody wants it any more
                pid = os.fork()
        except OSError as error:
            self.tell(number=number, failed=str(error))
        if pid == 0:
            return True
        os.close(output)
        if pid is not None:
            self.kernels[pid], self.folders[pid] = number, request["folder"]
            self.tell(number=number, pid=pid)
        return False

    def reap(self) -> None:
        """Tell of each kernel that has ended how it did."""
        with suppress(BlockingIOError):
            os.read(self.told, 4096)
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                number = self.kernels.pop(pid, None)
                if number is not None:
                    self.tell(number=number, code=os.waitstatus_to_exitcode(status))

    def kill(self, kernels: list[int]) -> None:
        """Kill kernels and what is left in their groups."""
        for pid in kernels:
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(OSError):  # when it has not come to have a group of its own
                os.kill(pid, signal.SIGKILL)

    def tell(self, **message: Any) -> None:
        """Tell the tool, if it is there."""
        with suppress(OSError):
            self.control.sendall(json.dumps(message).encode() + b"\n")

    def become(self, request: dict[str, Any], output: int) -> dict[str, Any]:
        """Leave nothing of the server but what was imported: this is a kernel from now on."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self.usual)
        self.control.detach()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number, target in enumerate((nothing, output, output)):
            os.dup2(target, number)
        os.closerange(3, 1 + max(map(int, os.listdir("/proc/self/fd"))))  # noqa: PTH208  # no pathlib in a kernel's start
        os.chdir(request["cwd"])
        os.umask(self.umask)
        self.variables(request["env"])
        _new_randomness()
        sys.argv[1:] = request["argv"]
        if hasattr(sys, "orig_argv"):
            sys.orig_argv[-3:] = request["argv"]
        return {"parent_handle": os.getppid()}

    def variables(self, own: dict[str, str]) -> None:
        """Exactly those that the server began with, and those of this kernel."""
        wanted = {**self.environment, **own}
        for name in [each for each in os.environ if each not in wanted]:
            del os.environ[name]
        for name, value in wanted.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        mark = own[MARK.decode()].encode()
        if self.mark and len(mark) == len(self.environment[MARK.decode()]):
            # Where the system shows the variables of a process that does not start a program.
            ctypes.memmove(self.mark, mark, len(mark))


def _address_of(variable: bytes) -> int:
    """Where the value of a variable lies that this process was started with."""
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    return int(getenv(variable) or 0)


def _die_with(pipe: int) -> None:
    """End when the pipe's other end does, whatever is being imported."""
    with suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


def _tasks() -> int:
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208


def _open_files(own: set[int]) -> list[str]:
    """What is open beside ``own`` and could not be shared."""
    found = []
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(OSError):  # the listing itself
            target = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
            if int(number) not in own and target not in HARMLESS_FILES and not target.endswith("/fd"):
                found.append(target)
    return found


def _sources(usual: set[str]) -> list[tuple[str, int, int]]:
    """Files of preloaded modules that do not belong to the interpreter's packages, as they are now."""
    prefixes = tuple(os.path.join(prefix, "") for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix})  # noqa: PTH118
    files = {getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name not in usual}
    found = []
    for file in sorted(file for file in files if isinstance(file, str) and not file.startswith(prefixes)):
        with suppress(OSError):
            state = os.stat(file)  # noqa: PTH116
            found.append((file, state.st_mtime_ns, state.st_size))
    return found


def _new_randomness() -> None:
    """Random states that a library has made when it was imported; OpenSSL looks after its own."""
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None:
        processes.current_process().authkey = os.urandom(32)


def main() -> dict[str, Any]:
    """Serve; returns in kernels only."""
    control, life, preload = sys.argv[1:4]
    return Server(int(control), int(life), json.loads(preload)).serve()

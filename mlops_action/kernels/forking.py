"""Fork servers, seen from the tool: how one is started and asked, and the processes that it forks."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_action.kernels.interface import Launch
from mlops_action.kernels.launcher import BESIDE, IMPORT, RUN, standard_parts
from mlops_action.kernels.spawn import MARK, Prepared, Printed, library_state, variables
from mlops_action.kernels.strays import kill_group
from mlops_action.kernels.watch import Watch

LOOK_SECONDS = 0.002
END_SECONDS = 2.0
LAST_WORDS = 500
LOST = -9
"""Exit code of a process that is killed because its server has died, or because nobody wants it."""


@dataclass
class Answer:
    """What a fork server said of one request."""

    pid: int | None = None
    code: int | None = None
    failed: bool = False
    lost: bool = False
    """Whether the server died before its kernel did."""


class ForkServer:
    """A process that forks kernels, and the socket to it. Every method may be called from any thread."""

    def __init__(self, launch: Launch, preload: Sequence[str], note: Callable[[str], None]) -> None:
        """Start one for kernels like ``launch``; it need not be ready to answer yet.

        Args:
            launch: what they are started with.
            preload: modules that it imports besides.
            note: is told why it does not fork.

        Raises:
            OSError: it cannot be started.
        """
        self.libraries = library_state(launch.choice)
        self.unsafe = ""
        """Why it does not fork."""
        self.gone = False
        self._ready = False
        self._note = note
        self._choice = launch.choice
        self._lock = threading.RLock()
        self._answers: dict[int, Answer] = {}
        self._text = b""
        self._files: list[tuple[str, int, int]] = []
        self._folder = Path(tempfile.gettempdir()) / f"mlops-{secrets.token_hex(4)}"
        self.printed = Printed()
        ours, theirs = socket.socketpair()
        life, self._life = os.pipe()
        self._control = ours
        own = Path(__file__).with_name("fork_server.py").read_text()
        interpreter, _ = standard_parts(launch.choice.argv) or ([launch.choice.argv[0]], [])
        program = f"{own}\n{IMPORT}\ngiven = main()\n{RUN}"
        try:
            self.process = subprocess.Popen(
                [*interpreter, "-c", program, str(theirs.fileno()), str(life), json.dumps(list(preload))],
                cwd=launch.cwd,
                env=variables(launch, self._folder),
                stdin=subprocess.DEVNULL,
                stdout=self.printed.write_end,
                stderr=self.printed.write_end,
                pass_fds=(theirs.fileno(), life),
                start_new_session=True,
            )
        except BaseException:
            self._close_files()
            raise
        finally:
            theirs.close()
            os.close(life)
            self.printed.close_write_end()

    def request(self, ready: Prepared) -> int:
        """Ask for a kernel; the number of the request."""
        number = secrets.randbits(48)
        env = {name: value for name, value in ready.env.items() if name != BESIDE}  # the server has used it
        wanted = {
            "number": number,
            "argv": ready.argv[ready.argv.index("-c") + 2 :],
            "cwd": str(ready.cwd),
            "folder": str(ready.folder),
            "env": {**env, "JPY_PARENT_PID": str(self.process.pid)},
        }
        with self._lock:
            self._answers[number] = Answer()
            self._send(wanted, [ready.printed.write_end])
        return number

    def drop(self, number: int) -> None:
        """Take a request back; its kernel is killed if there is one."""
        with self._lock:
            self._send({"drop": number})
            self._answers[number].code = LOST

    def answer(self, number: int) -> Answer:
        """What is known of a request by now."""
        self._listen()
        answer = self._answers[number]
        if answer.pid is None and (self.gone or self.unsafe):
            answer.failed = True
        elif self.gone and answer.code is None:  # its parent has died, and it would do so within a second
            kill_group(answer.pid or 0)
            answer.code, answer.lost = LOST, True
        return answer

    def lives(self) -> bool:
        """Whether a kernel of it still runs."""
        self._listen()
        return any(answer.code is None and not answer.failed for answer in self._answers.values())

    def fresh(self) -> bool:
        """Whether what it has imported is what a new process would import."""
        self._listen()
        return library_state(self._choice) == self.libraries and all(
            _state(file) == (changed, size) for file, changed, size in self._files
        )

    def close(self) -> None:
        """End the server and all kernels that it has forked."""
        with self._lock:
            if self._control.fileno() < 0:
                return
            self._control.close()
            self.gone = True
        with contextlib.suppress(OSError):
            os.close(self._life)
        try:
            self.process.wait(END_SECONDS if self._ready else 0)
        except subprocess.TimeoutExpired:
            kill_group(self.process.pid)
            self.process.wait()
        self.printed.close()
        shutil.rmtree(self._folder, ignore_errors=True)  # made only where there is no home

    def _close_files(self) -> None:
        self._control.close()
        os.close(self._life)
        self.printed.close()

    def _send(self, message: Mapping[str, Any], files: Sequence[int] = ()) -> None:
        data = json.dumps(message).encode() + b"\n"
        with contextlib.suppress(OSError):  # it has ended: seen when the answer is looked at
            sent = socket.send_fds(self._control, [data], files) if files else 0
            self._control.sendall(data[sent:])

    def _listen(self) -> None:
        """Take in what the server has said."""
        with self._lock:
            while not self.gone:
                try:
                    data = self._control.recv(65536, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return
                except OSError:
                    data = b""
                self.gone = not data
                if self.gone and not self._ready:
                    self._refuse(self.unsafe or f"it ended while it imported: {self.printed.take()[-LAST_WORDS:]}")
                *lines, self._text = (self._text + data).split(b"\n")
                for line in lines:
                    self._hear(json.loads(line))

    def _refuse(self, why: str) -> None:
        if not self.unsafe:
            self.unsafe = why
            self._note(why)

    def _hear(self, said: dict[str, Any]) -> None:
        if "unsafe" in said:
            self._refuse(said["unsafe"])
        if "files" in said:
            self._ready = True
            self._files = [(file, changed, size) for file, changed, size in said["files"]]
        answer = self._answers.get(said.get("number", -1))
        if answer is not None:
            answer.pid = said.get("pid", answer.pid)
            answer.code = said.get("code", answer.code)
            answer.failed = "failed" in said


class ForkedProcess:
    """A process that a fork server was asked for, as ``subprocess.Popen`` would show it.

    Where the server does not fork after all, it becomes a child of ours, started as any other.
    """

    stdin = stdout = stderr = None

    def __init__(self, server: ForkServer, ready: Prepared) -> None:
        """Ask ``server`` for it."""
        self.server = server
        self._ready = ready
        self._child: subprocess.Popen[bytes] | None = None
        self.watch: Watch | None = None
        """Ends a child of ours when we are gone."""
        self._code: int | None = None
        self._lock = threading.Lock()
        self._number = server.request(ready)

    @property
    def pid(self) -> int | None:
        """Its number, as soon as it is known."""
        self.poll()
        return self._child.pid if self._child is not None else self.server.answer(self._number).pid

    @property
    def lost(self) -> bool:
        """Whether it ended because its server did."""
        return self._child is None and self.server.answer(self._number).lost

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        with self._lock:
            if self._child is not None:
                return self._child.poll()
            if self._code is None:
                answer = self.server.answer(self._number)
                if answer.pid is not None:
                    self._ready.printed.close_write_end()
                if answer.failed:
                    self._become_child()
                self._code = answer.code
            return self._code

    def drop(self) -> None:
        """Nobody wants it any more, and it need not have been forked yet."""
        with self._lock:
            if self._child is None and self._code is None and self.server.answer(self._number).pid is None:
                self.server.drop(self._number)
                self._code = LOST

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutExpired: it runs on.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._ready.argv, timeout or 0)
            time.sleep(LOOK_SECONDS)
        return code

    def send_signal(self, sig: int) -> None:
        """Send it and its group a signal, if it runs."""
        if self.poll() is None and (pid := self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, sig)

    def _become_child(self) -> None:
        self.watch = Watch(MARK, self._ready.folder.name, self._ready.folder)
        try:
            self._child = self._ready.popen()
            self.watch.over(self._child.pid)
        except OSError as error:
            os.write(self._ready.printed.write_end, f"{error}\n".encode())
            self._code = 1


def _state(file: str) -> tuple[int, int]:
    try:
        found = os.stat(file)  # noqa: PTH116  # for each file of the project that is preloaded, before each kernel
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size

"""The process that a session's kernel is a child of: it outlives the commands, and ends with the session.

It is started by ``start.py``, which writes a ``Begin`` to its standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_action.config.values import duration_text
from mlops_action.errors import MlopsError
from mlops_action.frozen import frozen
from mlops_action.kernels import BACKENDS
from mlops_action.kernels.interface import HURRY_SECONDS, PATIENCE_SECONDS, KernelProcess, Launch
from mlops_action.kernels.interface import Place as KernelPlace
from mlops_action.registry import load_from
from mlops_action.sessions.control import ATTACH, DETACH, HOLD, INTERRUPT, LONGEST_LINE, STOP, line_of
from mlops_action.sessions.notebook import SessionNotebook
from mlops_action.sessions.shelf import Place, SessionRecord
from mlops_action.sessions.watch import watched

TICK_SECONDS = 0.1
HOLD_SECONDS = 60.0
"""Within so long a command that was announced attaches."""
SETTLE_SECONDS = 5.0
"""How long a new command waits for the cell of an earlier one, which was interrupted."""
STOPPED = "it was stopped"


@frozen
class Begin:
    """Everything that a session is started with."""

    record: SessionRecord
    folder: Path
    backend: str
    place: KernelPlace
    launch: Launch


class Supervisor:
    """Looks after one kernel."""

    def __init__(self, begin: Begin, process: KernelProcess, manager: Any) -> None:
        """Take charge of a kernel whose process was started."""
        self.place = Place(begin.folder)
        self.record = replace(begin.record, supervisor=os.getpid())
        self.process = process
        self.manager = manager
        self.probe = manager.client()
        self.settled = asyncio.Event()
        self.attached: asyncio.StreamWriter | None = None
        self.secrets: set[str] = set()
        self.last = time.monotonic() + HOLD_SECONDS
        self.served = False
        self.idle = begin.record.idle
        self.stopping = ""
        self.gone = asyncio.Event()
        self._settling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve commands until the kernel ends, is idle for too long, or shall be stopped."""
        self.probe.start_channels(iopub=False, stdin=False, hb=False, control=False)
        self.settled.set()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)
        server = await asyncio.start_unix_server(self._serve, path=str(self.place.control), limit=LONGEST_LINE)
        self.place.control.chmod(0o600)
        SessionNotebook(self.place.notebook).create(self.record.name, self.record.kernel)
        self.place.write(self.record)
        tell({"ready": True})
        try:
            await self._end(await self._ending())
        finally:
            server.close()
            with suppress(OSError):
                self.place.control.unlink()

    def _on_signal(self, number: int) -> None:
        self.stopping = f"it was ended from outside ({signal.Signals(number).name})"

    async def _ending(self) -> str:
        """Wait until the session shall end, and tell why."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            how = self.process.ended_by()
            if how and (self.served or time.monotonic() > self.last):  # else who started it has yet to be told
                return how
            if self.stopping:
                return self.stopping
            if self.attached is None and time.monotonic() - self.last > self.idle:
                return f"it was idle for longer than {duration_text(self.idle)}"
            if not self.place.folder.is_dir():
                return "its folder was removed"

    async def _end(self, how: str) -> None:
        """Stop the kernel and all that it has started, and say how it ended."""
        printed = self.process.stray_text()
        if self.attached is not None:
            with suppress(OSError):
                self.attached.write(line_of({"ended": how, "printed": printed}))
        if self._settling is not None:
            self._settling.cancel()
        self.probe.stop_channels()
        await self.process.stop(HURRY_SECONDS if self.attached is not None else PATIENCE_SECONDS)
        if self.place.folder.is_dir():
            self.place.write(replace(self.record, ended=how))
        self.gone.set()
        await asyncio.sleep(TICK_SECONDS)  # for the answers that say so

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one command."""
        with suppress(OSError, ValueError, asyncio.IncompleteReadError):
            asked = json.loads(await reader.readline())
            if asked["do"] == ATTACH:
                await self._attach(asked, reader, writer)
            elif asked["do"] == STOP:
                self.stopping = STOPPED
                await self.gone.wait()
                writer.write(line_of({}))
                await asyncio.Event().wait()  # the end of the process is the end of the connection
            else:
                if asked["do"] == HOLD:
                    self.last = time.monotonic() + HOLD_SECONDS
                writer.write(line_of(self._look()))
            await writer.drain()
        writer.close()

    def _look(self) -> dict[str, Any]:
        busy = self.attached is not None or not self.settled.is_set()
        return {
            "state": "busy" if busy else "idle",
            "idle": 0.0 if busy else max(0.0, time.monotonic() - self.last),
            "secrets": sorted(self.secrets),
        }

    async def _attach(self, asked: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the command that runs a cell, until it goes."""
        self.served = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self.settled.wait(), SETTLE_SECONDS)
        if how := self.process.ended_by():
            writer.write(line_of({"refused": how, "printed": self.process.stray_text()}))
            return
        if self.attached is not None or not self.settled.is_set():
            writer.write(line_of({"refused": "it is still busy with the cell of an earlier command"}))
            return
        self.attached = writer
        self.secrets |= set(asked["secrets"])
        self.idle = asked["idle"] or self.idle
        connection = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in self.manager.get_connection_info().items()
        }
        writer.write(line_of({"connection": connection, "pid": self.process.pid}))
        try:
            await self._attended(reader, writer)
        finally:
            self.attached = None
            self.last = time.monotonic()

    async def _attended(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do what the attached command asks for; one that goes without a word was killed: its cell is interrupted."""
        detached = False
        while not detached and (line := await reader.readline()):
            asked = json.loads(line)["do"]
            if asked == INTERRUPT:
                await self._interrupt()
            detached = asked == DETACH
        if not detached:
            await self._interrupt()
        self.settled.clear()
        self._settling = asyncio.ensure_future(self._settle())
        if detached:
            writer.write(line_of({"printed": self.process.stray_text()}))

    async def _interrupt(self) -> None:
        with suppress(Exception):  # a kernel that is just dying cannot be interrupted
            await self.manager.interrupt_kernel()

    async def _settle(self) -> None:
        """Wait until the kernel answers again: it answers nothing while a cell runs."""
        request = self.probe.kernel_info()
        while True:
            answer = await self.probe.get_shell_msg()
            if answer["parent_header"].get("msg_id") == request:
                break
        self.last = time.monotonic()
        self.settled.set()


def tell(message: dict[str, Any]) -> None:
    """Answer the command that starts the session; nobody listens after that."""
    with suppress(OSError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


async def supervise(begin: Begin) -> None:
    """Start the kernel and look after it."""
    tempfile.tempdir = str(begin.folder)  # its connection file and its sockets go with the session
    backend = load_from(BACKENDS, begin.backend)(begin.place)
    try:
        process: KernelProcess = backend.start(begin.launch)
        with watched(begin.record.token, process.pid, begin.folder):
            try:
                manager = await process.connect()
                await Supervisor(begin, process, manager).run()
            except BaseException:
                await process.stop(HURRY_SECONDS)
                raise
    except MlopsError as error:
        tell({"error": error.message, "hint": error.hint})


def main() -> None:
    """Entry of the process."""
    begin = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the command that has started us
    asyncio.run(supervise(begin))


if __name__ == "__main__":
    main()

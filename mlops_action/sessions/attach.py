"""A session's kernel as the engine sees it: one that runs already, and is left running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from mlops_action.errors import KernelStartFailed
from mlops_action.frozen import frozen
from mlops_action.kernels.interface import PATIENCE_SECONDS, KernelProcess, Launch
from mlops_action.sanitize import plain
from mlops_action.sessions.control import ATTACH, DETACH, INTERRUPT, LONGEST_LINE, line_of
from mlops_action.sessions.shelf import Place

SUPERVISOR_GONE = "its supervisor was killed"


@frozen
class SessionKernels:
    """The only kernel that it gives is that of the session."""

    place: Place
    name: str
    secrets: Iterable[str] = ()
    idle: int = 0

    def start(self, launch: Launch) -> KernelProcess:
        """Attach to it; see ``KernelStarter``."""
        del launch
        return AttachedKernel(self)


class AttachedKernel:
    """The session's kernel while one command uses it."""

    def __init__(self, session: SessionKernels) -> None:
        """Nothing is asked for yet."""
        self.session = session
        self.pid: int | None = None
        self._ended = ""
        self._printed: list[str] = []
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    async def connect(self) -> Any:
        """A manager that makes clients of the kernel and interrupts it.

        Raises:
            KernelStartFailed: the session does not let us.
        """
        place, name = self.session.place, self.session.name
        try:
            reader, self._writer = await asyncio.open_unix_connection(str(place.control), limit=LONGEST_LINE)
            self._send(ATTACH, secrets=list(self.session.secrets), idle=self.session.idle)
            answer = json.loads(await reader.readline() or b'{"refused": "its supervisor has just ended"}')
        except OSError as error:
            answer = {"refused": f"its supervisor does not answer ({error.strerror})"}
        if "refused" in answer:
            said = [plain(line) for line in answer.get("printed", "").splitlines() if line.strip()]
            last = f" ({said[-1][:300]})" if said else ""
            hint = f"`mlops-action session stop {name}` ends it; the next command starts it anew"
            raise KernelStartFailed(f"session `{name}` cannot be used: {answer['refused']}{last}", hint=hint)
        self.pid = answer["pid"]
        self._listening = asyncio.ensure_future(self._listen(reader))
        return _Manager(answer["connection"], self)

    def _send(self, what: str, **more: Any) -> None:
        if self._writer is not None:
            self._writer.write(line_of({"do": what, **more}))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hear what the supervisor says, to the end."""
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                said = json.loads(line)
                self._printed.append(said.get("printed", ""))
                self._ended = said.get("ended", "")
                if not self._ended:
                    return
        self._ended = self._ended or SUPERVISOR_GONE

    async def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        self._send(INTERRUPT)

    def stale(self) -> bool:
        """It is meant to be older than the command."""
        return False

    def stray_text(self) -> str:
        """What the process has written past Jupyter, as far as the supervisor has told."""
        said, self._printed = "".join(self._printed), []
        return said

    def ended_by(self) -> str:
        """How the kernel ended, or empty."""
        return self._ended

    async def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Leave the kernel running."""
        if self._listening is not None:
            if not self._ended:
                self._send(DETACH)
            await asyncio.wait({self._listening}, timeout=patience)
            self._listening.cancel()
        if self._writer is not None:
            self._writer.close()


class _Manager:
    """As much of jupyter_client's manager as the engine uses."""

    def __init__(self, connection: dict[str, Any], kernel: AttachedKernel) -> None:
        self.connection = connection
        self.kernel = kernel

    def client(self) -> Any:
        """A client of the kernel."""
        from jupyter_client.asynchronous.client import AsyncKernelClient

        kernel = self.kernel

        class Client(AsyncKernelClient):
            async def is_alive(self) -> bool:
                return not kernel.ended_by()

        client = Client()
        client.load_connection_info(self.connection)  # type: ignore[arg-type]  # a plain dictionary, from JSON
        return client

    async def interrupt_kernel(self) -> None:
        """Let the supervisor interrupt it, who knows how."""
        await self.kernel.interrupt()

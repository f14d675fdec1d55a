"""The chosen cells of one notebook through one kernel, on nbclient."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError
from nbclient.util import ensure_async

from mlops_action.kernels.advice import advice_for, death_advice
from mlops_action.kernels.interface import KernelBackend, KernelProcess, Launch
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import Failure
from mlops_action.sanitize import plain
from mlops_action.vocabulary import FailureKind

START_SECONDS = 60
INTERRUPT_SECONDS = 3
SHOWN_SOURCE = 2000
SHOWN_TRACEBACK = 6000
_PYTHON_LINE = re.compile(r"(?:Cell|Input) In ?\[\d+\], line (\d+)|<ipython-input-[^>]*> in .*?\n.*?-+> (\d+) ")
_TEXT_MIME = "text/plain"
ECHOING_LANGUAGES = {"python"}
"""Kernels that report what child processes print as output, and print it past Jupyter once more."""


@dataclass(frozen=True)
class CellsRun:
    """How far the cells came."""

    completed: int
    failure: Failure | None


class _KernelLeft(Exception):
    """A cell asked its kernel to end; the kernel does so a moment later, when cells after it may have run."""


def _refuse_leaving(execute_reply: Any, **_: Any) -> None:
    if any(part.get("source") == "ask_exit" for part in execute_reply["content"].get("payload", [])):
        raise _KernelLeft


class _Client(NotebookClient):
    """nbclient's cell loop, with live text and streams put together as they arrive."""

    def __init__(self, notebook: Any, manager: Any, on_text: Callable[[str], None]) -> None:
        super().__init__(
            notebook, km=manager, allow_errors=False, record_timing=False, on_cell_executed=_refuse_leaving
        )
        self.log.disabled = True
        self.on_text = on_text
        self._stream: Any = None
        self._pieces: list[str] = []

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] in {"status", "clear_output"}:
            self.put_stream_together()
        return super().process_message(msg, cell, cell_index)

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        content = msg["content"]
        if msg["msg_type"] != "stream":
            self.put_stream_together()
            self._tell(msg["msg_type"], content)
            return super().output(outs, msg, display_id, cell_index)
        self.on_text(content["text"])
        if self._stream is not None and self._stream["name"] == content["name"]:
            self._pieces.append(content["text"])
            return None
        self.put_stream_together()
        self._stream = super().output(outs, msg, display_id, cell_index)
        self._pieces = [content["text"]]
        return self._stream

    def _tell(self, msg_type: str, content: Any) -> None:
        if msg_type in {"execute_result", "display_data"}:
            text = content.get("data", {}).get(_TEXT_MIME, "")
            shown = "".join(text) if isinstance(text, list) else str(text)
            self.on_text(f"{shown}\n" if shown else "")

    def put_stream_together(self) -> None:
        """Join the pieces of a stream once, when it is complete: joining each time is quadratic."""
        if self._stream is not None:
            self._stream["text"] = collapse_redraws("".join(self._pieces))
            self._stream, self._pieces = None, []


def collapse_redraws(text: str) -> str:
    """Keep of each line what a terminal would show last: progress bars draw over themselves."""
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(next((part for part in reversed(line.split("\r")) if part), "") for line in lines)


class NotebookRun:
    """Runs cells until one fails, the time is over, or the user interrupts.

    Args:
        backend: where the kernel runs.
        launch: what it is started with.
        on_text: is given everything that the notebook prints, as it arrives.
    """

    def __init__(self, backend: KernelBackend, launch: Launch, on_text: Callable[[str], None]) -> None:
        """Prepare; nothing is started yet."""
        self.backend = backend
        self.launch = launch
        self.on_text = on_text
        self.completed = 0
        self.current: int | None = None

    async def run(self, notebook: Any, chosen: Sequence[int], seconds: int, interrupt: Interrupt) -> CellsRun:
        """Start the kernel, run the cells at ``chosen`` in order, stop the kernel.

        The notebook is changed in place and holds whatever was reached. Failures of the
        notebook and of its kernel are values.

        Raises:
            KernelStartFailed: the process could not be started at all.
        """
        deadline = time.monotonic() + seconds if seconds else None
        process = await self.backend.start(self.launch)
        client = _Client(notebook, process.manager, self.on_text)
        try:
            failure = await self._within(self._cells(client, process, chosen), process, deadline, interrupt)
        finally:
            client.put_stream_together()
            if client.kc is not None:
                client.kc.stop_channels()
            await process.stop()
            if self.launch.choice.language.lower() not in ECHOING_LANGUAGES:
                self.on_text(process.stray_text())
        return CellsRun(self.completed, failure and self._placed(failure, notebook))

    async def _within(
        self, work: Any, process: KernelProcess, deadline: float | None, interrupt: Interrupt
    ) -> Failure | None:
        """Wait for ``work``, the deadline or the user, whichever comes first."""
        task = asyncio.ensure_future(work)
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        with interrupt.event() as asked:
            stop = asyncio.ensure_future(asked.wait())
            done, _ = await asyncio.wait({task, stop}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
        if task in done:
            failure: Failure | None = task.result()
            return failure
        await self._interrupt(task, process)
        if interrupt:
            return Failure(FailureKind.INTERRUPTED, "the run was interrupted", "start it again")
        return Failure(
            FailureKind.TIMED_OUT,
            "the step's time was over",
            "give it more time (`timeout:`), or make the work smaller",
        )

    async def _interrupt(self, task: asyncio.Future[Any], process: KernelProcess) -> None:
        """Interrupt the cell, so that its output so far and its place are kept; then give up on it."""
        current = self.current
        interrupting = process.manager.interrupt_kernel() if process.manager.has_kernel else None
        if interrupting is not None:
            await asyncio.wait_for(ensure_async(interrupting), INTERRUPT_SECONDS)
        await asyncio.wait({task}, timeout=INTERRUPT_SECONDS)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=INTERRUPT_SECONDS)
        self.current = current

    async def _cells(self, client: _Client, process: KernelProcess, chosen: Sequence[int]) -> Failure | None:
        try:
            await self._ready(client, process)
        except (DeadKernelError, TimeoutError) as error:
            return self._start_failure(process, error)
        for count, index in enumerate(chosen, start=1):
            self.current = index
            try:
                await client.async_execute_cell(client.nb.cells[index], index, execution_count=count)
            except CellExecutionError as error:
                ename, evalue = plain(str(error.ename)), plain(str(error.evalue))
                return Failure(
                    FailureKind.RAISED,
                    f"{ename}: {evalue}".strip(": ")[:SHOWN_SOURCE],
                    advice_for(ename, evalue, self.launch.choice.argv[0]),
                    traceback=(_traceback_of(client.nb.cells[index]) or plain(error.traceback or "")).strip()[
                        -SHOWN_TRACEBACK:
                    ],
                )
            except _KernelLeft:
                return Failure(FailureKind.KERNEL_DIED, "the cell ended its kernel", death_advice("exit code 0"))
            except (DeadKernelError, CellControlSignal):
                await asyncio.sleep(0.05)
                how = process.ended_by() or "its process is gone"
                said = plain(process.stray_text()).strip()[-SHOWN_TRACEBACK:]
                return Failure(FailureKind.KERNEL_DIED, f"the kernel died: {how}", death_advice(how), traceback=said)
            self.completed += 1
        self.current = None
        return None

    async def _ready(self, client: _Client, process: KernelProcess) -> None:
        """Wait until the kernel answers *and* its output channel is seen to be connected.

        Raises:
            DeadKernelError: the process ended.
            TimeoutError: no answer within ``START_SECONDS``.
        """
        client.kc = channel = process.manager.client()
        channel.start_channels()
        channel.allow_stdin = False
        deadline = time.monotonic() + START_SECONDS
        waiting = 0.5
        while time.monotonic() < deadline:
            request = channel.kernel_info()
            reply, idle = await _answer(channel, request, waiting)
            if reply and idle:
                client.nb.metadata["language_info"] = reply["content"].get("language_info", {})
                return
            if process.ended_by():
                raise DeadKernelError(process.ended_by())
            waiting = 0.5 if reply is None else 0.1
        raise TimeoutError

    def _start_failure(self, process: KernelProcess, error: Exception) -> Failure:
        how = process.ended_by() if isinstance(error, DeadKernelError) else f"no answer within {START_SECONDS} s"
        said = plain(process.stray_text()).strip()
        return Failure(
            FailureKind.KERNEL_START,
            f"kernel `{self.launch.choice.name}` did not start: {how}",
            "try its command by hand: " + " ".join(self.launch.choice.argv[:3]),
            traceback=said[-SHOWN_TRACEBACK:],
        )

    def _placed(self, failure: Failure, notebook: Any) -> Failure:
        """Say in which cell it happened."""
        if self.current is None or failure.kind is FailureKind.KERNEL_START:
            return failure
        cell = notebook.cells[self.current]
        found = [match.group(1) or match.group(2) for match in _PYTHON_LINE.finditer(_traceback_of(cell))]
        return Failure(
            failure.kind,
            failure.message,
            failure.hint,
            cell=self.current,
            cell_id=cell.get("id", ""),
            line=int(found[-1]) if found else None,
            source=cell.source[:SHOWN_SOURCE],
            traceback=failure.traceback,
        )


async def _answer(channel: Any, request: str, seconds: float) -> tuple[Any, bool]:
    """The reply to ``request`` and whether its end was seen on the output channel, as far as they come in time."""
    deadline = time.monotonic() + seconds
    reply, idle = None, False
    while (reply is None or not idle) and (left := deadline - time.monotonic()) > 0:
        get = channel.get_shell_msg if reply is None else channel.get_iopub_msg
        try:
            message = await get(timeout=left)
        except Empty:
            break
        if message["parent_header"].get("msg_id") != request:
            continue
        if reply is None:
            reply = message
        idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
    return reply, idle


def _traceback_of(cell: Any) -> str:
    """The traceback that the kernel sent, or empty: some kernels send none and only print."""
    for output in reversed(cell.get("outputs", [])):
        if output["output_type"] == "error":
            return plain("\n".join(output["traceback"]))
    return ""

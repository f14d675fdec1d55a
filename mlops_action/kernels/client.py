"""nbclient's cell loop, with live text, outputs within a budget, and the reply's status kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from mlops_action.kernels.interface import KernelProcess
from mlops_action.kernels.outputs import OVERHEAD, OutputBudget, StreamText, bundle_size, is_shallow, whole_bundle
from mlops_action.notebooks.cells import WIDGETS

_SHOWING = {"display_data", "execute_result", "update_display_data"}
TEXT_MIME = "text/plain"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
ECHOING_LANGUAGES = {"python"}
"""Kernels that report what child processes print as output, and print it past Jupyter once more."""


LATE_LANGUAGES = {"typescript", "javascript"}
"""Kernels that may send what a cell printed after they have said that it is done: Deno's does."""
LATE_SECONDS = 0.05
"""How long these are listened to until nothing more comes."""

RECONNECT_MILLISECONDS = 3
"""Between attempts to reach a kernel that does not listen yet; by default ZeroMQ waits 100 and more."""
IDLE_SECONDS = 0.03
"""How long after its reply the end of a request is waited for on an output channel that may not be connected yet."""
OUTPUT_SECONDS = 60
"""How long output that is still on its way is waited for when a cell has ended; what comes later is lost."""


class CellClient(NotebookClient):
    """Runs cells of a notebook in one kernel that is running already."""

    def __init__(self, notebook: Any, manager: Any, budget: OutputBudget, on_text: Callable[[str], None]) -> None:
        """Outputs go into ``notebook`` as far as ``budget`` allows, and their text to ``on_text``."""
        super().__init__(
            notebook,
            km=manager,
            record_timing=False,
            iopub_timeout=OUTPUT_SECONDS,
        )
        self.manager = manager
        self.log.disabled = True
        self.budget = budget
        self.on_text = on_text
        self.reply: dict[str, Any] = {}
        self._stream: Any = None
        self._text = StreamText(budget)
        self.on_cell_executed = self._keep_reply
        self._request = ""
        self._printed_last = ""

    async def ready(self, process: KernelProcess, seconds: float) -> None:
        """Wait until the kernel answers *and* its output channel is seen to be connected.

        Raises:
            DeadKernelError: the process ended.
            TimeoutError: no answer in time.
        """
        self.kc = channel = self.manager.client()
        channel.context.rcvhwm = 100_000  # by default ZeroMQ drops output when a thousand messages wait
        channel.context.reconnect_ivl = RECONNECT_MILLISECONDS
        channel.start_channels()
        channel.allow_stdin = False
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            request = channel.kernel_info()
            reply, idle = await _answer(channel, request, 0.5, IDLE_SECONDS)
            if reply and idle:
                self.nb.metadata.setdefault("language_info", reply["content"].get("language_info", {}))
                return
            if process.ended_by():
                raise DeadKernelError(process.ended_by())
        raise TimeoutError

    def next_cell(self) -> None:
        """Begin another cell."""
        self.budget.next_cell()
        self.reply, self._request, self._printed_last = {}, "", ""

    def prepare(self, code: str) -> None:
        """Have code of ours run before the first cell, out of sight; the kernel takes one request after the other."""
        if code and self.kc is not None:
            self.kc.execute(code, silent=True, store_history=False, allow_stdin=False, stop_on_error=False)

    async def async_execute_cell(
        self, cell: Any, cell_index: int, execution_count: int | None = None, store_history: bool = True
    ) -> Any:
        """Run a cell, and take what arrives late."""
        try:
            return await super().async_execute_cell(cell, cell_index, execution_count, store_history)
        finally:
            language = self.nb.metadata.get("language_info", {}).get("name", "")
            if self._request and str(language).lower() in LATE_LANGUAGES:
                await self._take_late_output(cell, cell_index)

    async def _take_late_output(self, cell: Any, cell_index: int) -> None:
        from queue import Empty

        channel: Any = self.kc
        while channel is not None:
            try:
                message = await channel.get_iopub_msg(timeout=LATE_SECONDS)
            except Empty:
                return
            parent = (message["parent_header"] or {}).get("msg_id")
            if parent == self._request and message["msg_type"] in {"stream", "display_data", "execute_result"}:
                self.process_message(message, cell, cell_index)

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Put a stream together before anything else happens to the outputs; take them as notebooks can hold them."""
        if msg["msg_type"] in _SHOWING:
            msg["content"] |= {"data": whole_bundle(msg["content"].get("data")), "metadata": {}} | _metadata_of(msg)
        if msg["msg_type"] in {"status", "clear_output"}:
            self.put_stream_together()
        return super().process_message(msg, cell, cell_index)

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        """Keep an output, or as much of it as the budget allows."""
        content = msg["content"]
        if self.output_hook_stack[msg["parent_header"].get("msg_id")]:  # a widget takes what is printed inside it
            self.put_stream_together()
            fits = self._fits(OVERHEAD + bundle_size(content))
            kept = super().output(outs, msg, display_id, cell_index) if fits else None
            self._look_again()
            return kept
        if msg["msg_type"] == "stream":
            return self._keep_stream(outs, msg, display_id, cell_index)
        self.put_stream_together()
        size = OVERHEAD + bundle_size(content.get("data") or content.get("traceback") or "")
        if msg["msg_type"] == "error":
            self.budget.take(size)
        elif not self._fits(size):
            return None
        if msg["msg_type"] in {"execute_result", "display_data"}:
            text = content.get("data", {}).get(TEXT_MIME, "")
            shown = "".join(text) if isinstance(text, list) else str(text)
            self.on_text(f"{shown}\n" if shown else "")
        return super().output(outs, msg, display_id, cell_index)

    def _look_again(self) -> None:
        """See a reply whose arrival went unnoticed, as a message was sent past the event loop at the same time."""
        socket: Any = getattr(getattr(self.kc, "shell_channel", None), "socket", None)
        if hasattr(socket, "_schedule_remaining_events"):
            socket._schedule_remaining_events()

    def _fits(self, size: int) -> bool:
        """Take ``size`` bytes from the budget, or count them as cut."""
        if size > self.budget.left():
            self.budget.cut += size
            return False
        self.budget.take(size)
        return True

    def keep_widgets(self) -> None:
        """Put what the kernel's widgets show into the notebook, beside those of its other kernels."""
        before = self.nb.metadata.get(WIDGETS)
        self.set_widgets_metadata()
        if before and self.widget_state:
            self.nb.metadata[WIDGETS][WIDGET_STATE]["state"] |= before[WIDGET_STATE]["state"]

    def _keep_stream(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        content = msg["content"]
        self._printed_last = (self._printed_last + content["text"])[-50:]
        if self._stream is None or self._stream["name"] != content["name"] or self.clear_before_next_output:
            self.put_stream_together()
            if self.budget.left() <= OVERHEAD:
                self.budget.cut += len(content["text"])
                return None
            self.budget.take(OVERHEAD)
            empty = msg | {"content": content | {"text": ""}}  # it is checked, which takes long for a long text
            self._stream = super().output(outs, empty, display_id, cell_index)
            self._text = StreamText(self.budget)
        self.on_text(self._text.add(content["text"]))
        return self._stream

    def put_stream_together(self) -> None:
        """Join the pieces of a stream once, when it is complete: joining each time is quadratic."""
        if self._stream is not None:
            self._stream["text"] = self._text.text()
            self._stream = None

    def mark_cut(self, cell: Any) -> None:
        """Say at the end of a cell's outputs how much of them was not kept."""
        self.put_stream_together()
        if self.budget.cut:
            line = self.budget.mark()
            cell.outputs.append(NotebookNode(new_output("stream", name="stderr", text=f"{line}\n")))
            self.on_text(f"\n{line}\n")

    @property
    def left(self) -> bool:
        """Whether the last cell asked its kernel to end; it does so a moment later: a next cell may still run."""
        return any(part.get("source") == "ask_exit" for part in self.reply.get("payload") or ())

    @property
    def lost_its_shell(self) -> bool:
        """Whether the last cell ended the shell behind a bash kernel, which goes on with a new one and says ok."""
        return self._printed_last.rstrip().endswith("Restarting Bash")

    async def _keep_reply(self, **told: Any) -> None:
        self.reply = told["execute_reply"]["content"]
        self._request = told["execute_reply"]["parent_header"].get("msg_id", "")


def _metadata_of(msg: Any) -> dict[str, Any]:
    metadata = msg["content"].get("metadata")
    return {"metadata": metadata} if isinstance(metadata, dict) and is_shallow(metadata) else {}


async def _answer(channel: Any, request: str, seconds: float, rest: float = float("inf")) -> tuple[Any, bool]:
    """The reply to ``request`` and whether its end was seen on the output channel, as far as they come in time.

    The end must be seen within ``seconds``, and within ``rest`` seconds after the reply.
    """
    from queue import Empty

    deadline = time.monotonic() + seconds
    reply, idle = None, False
    while (reply is None or not idle) and (left := deadline - time.monotonic()) > 0:
        get = channel.get_shell_msg if reply is None else channel.get_iopub_msg
        try:
            message = await get(timeout=left)
        except Empty:
            break
        if (message["parent_header"] or {}).get("msg_id") != request:  # a greeting of xeus has no parent
            continue
        if reply is None:
            reply = message
            deadline = min(deadline, time.monotonic() + rest)
        idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
    return reply, idle

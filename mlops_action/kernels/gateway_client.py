"""A jupyter_client client whose channels are one websocket.

The clients that there are (jupyter_server's, jupyter_kernel_client) block the event loop or poll, know one gateway
per process, and do not notice a dead kernel; tornado's websocket, which jupyter_client brings along, is all it takes.
"""

from __future__ import annotations

import asyncio
import json
import struct
from itertools import pairwise
from queue import Empty
from typing import TYPE_CHECKING, Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.jsonutil import extract_dates, json_default
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketError, websocket_connect

from mlops_action.errors import GatewayUnusable

if TYPE_CHECKING:
    from mlops_action.kernels.gateway import Gateway, GatewayKernel

LARGEST_MESSAGE = 1 << 30
PING_SECONDS = 30
CONNECT_SECONDS = 60.0
_LOST_STATES = {"restarting", "autorestarting", "dead"}
"""What a server says of a kernel that died; it may start another one in its place, which knows nothing."""


async def opened(gateway: Gateway, path: str) -> Any:
    """The websocket of a kernel.

    Raises:
        GatewayUnusable: it cannot be opened.
    """
    url = f"ws{gateway.url.removeprefix('http')}/{path}"
    request = HTTPRequest(url, headers=gateway.headers, connect_timeout=CONNECT_SECONDS, follow_redirects=False)
    try:
        return await websocket_connect(request, ping_interval=PING_SECONDS, max_message_size=LARGEST_MESSAGE)
    except (OSError, HTTPClientError, WebSocketError) as error:
        raise GatewayUnusable(f"the gateway {gateway.shown} gives no way to its kernel: {error}") from None


class Channel:
    """One of the kinds of messages that go over the websocket."""

    def __init__(self, name: str, kernel: GatewayKernel) -> None:
        """Send and receive those of ``name``."""
        self.name = name
        self.kernel = kernel
        self.waiting: asyncio.Queue[Any] = asyncio.Queue()

    def start(self) -> None:
        """There is one connection for all."""

    def stop(self) -> None:
        """There is one connection for all."""

    def is_alive(self) -> bool:
        """Whether messages may come."""
        return not self.kernel.ended_by()

    def is_beating(self) -> bool:
        """As alive as the others."""
        return self.is_alive()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self.kernel.send(json.dumps({**message, "channel": self.name, "buffers": []}, default=json_default))

    async def get_msg(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109  # jupyter_client's name
        """The next message.

        Raises:
            Empty: none came in time.
        """
        try:
            return await asyncio.wait_for(self.waiting.get(), timeout)
        except TimeoutError:
            raise Empty from None


class GatewayClient(AsyncKernelClient):
    """Talks with one kernel."""

    def __init__(self, kernel: GatewayKernel) -> None:
        """Use the websocket of ``kernel``."""
        super().__init__()
        self.kernel = kernel
        self.by_name = {name: Channel(name, kernel) for name in ("shell", "iopub", "stdin", "control", "hb")}
        self._shell_channel, self._iopub_channel = self.by_name["shell"], self.by_name["iopub"]
        self._stdin_channel, self._control_channel = self.by_name["stdin"], self.by_name["control"]
        self._hb_channel = self.by_name["hb"]
        self._reading: asyncio.Task[None] | None = None

    def start_channels(self, *_: bool, **__: bool) -> None:
        """Begin to read."""
        self._reading = asyncio.ensure_future(self._read())

    def stop_channels(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()

    async def is_alive(self) -> bool:
        """Whether the kernel has not ended."""
        return not self.kernel.ended_by()

    async def _read(self) -> None:
        """Give each message to its channel, to the end of the connection."""
        await self.kernel.opened.wait()
        while (data := await self.kernel.socket.read_message()) is not None:
            message = _message(data)
            if message["msg_type"] == "status" and message["content"].get("execution_state") in _LOST_STATES:
                self.kernel.over("it died on the gateway")
            channel = self.by_name.get(message.get("channel", ""))
            if channel is not None:
                channel.waiting.put_nowait(message)
        self.kernel.over("the gateway closed the connection")


def _message(data: str | bytes) -> dict[str, Any]:
    """A message as jupyter_client has it; those with buffers come as offsets, JSON and the buffers."""
    buffers: list[bytes] = []
    text: str | bytes = data
    if isinstance(data, bytes):
        count = struct.unpack_from("!I", data)[0]
        places = [*struct.unpack_from(f"!{count}I", data, 4), len(data)]
        text, *buffers = [data[start:end] for start, end in pairwise(places)]
    message: dict[str, Any] = json.loads(text)
    message["header"], message["parent_header"] = (
        extract_dates(message["header"]),
        extract_dates(message["parent_header"]),
    )
    message.setdefault("msg_type", message["header"]["msg_type"])
    message["buffers"] = buffers
    return message


class GatewayManager:
    """As much of jupyter_client's manager as the engine uses."""

    def __init__(self, kernel: GatewayKernel) -> None:
        """Stand for ``kernel``."""
        self.kernel = kernel

    def client(self) -> GatewayClient:
        """A client of the kernel."""
        return GatewayClient(self.kernel)

    async def interrupt_kernel(self) -> None:
        """Interrupt the cell that runs."""
        await self.kernel.interrupt()

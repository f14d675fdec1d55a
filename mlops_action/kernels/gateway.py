"""Kernels on a Jupyter server, JupyterHub or Kernel Gateway elsewhere. Experimental.

The server's REST API starts, looks at, interrupts and ends a kernel; its messages come over one websocket.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from mlops_action.errors import (
    EnvironmentProblem,
    GatewayUnusable,
    KernelMissing,
    KernelStartFailed,
    SecretMissing,
    nearest,
)
from mlops_action.kernels.interface import PATIENCE_SECONDS, Launch, Place
from mlops_action.records import KernelChoice
from mlops_action.redact import strip_user_info
from mlops_action.sanitize import inline

ANSWER_SECONDS = 20.0
START_SECONDS = 120.0
"""A gateway answers only when the kernel's machine is there."""
LOOK_SECONDS = 2.0
LOST_AFTER = 5
"""So many looks in a row without an answer are the end."""
PASSED_ON = "KERNEL_"
"""Only variables of such names are passed on by Kernel and Enterprise Gateways."""

_REACH = "`url` is the server's base address, without `/lab` or `/api`; a hub's is `…/user/NAME`"


class Gateway:
    """The server's REST API."""

    def __init__(self, url: str, token: str) -> None:
        """Talk to the server at ``url``; the token is in no message of ours."""
        self.url = url.rstrip("/")
        self.shown = strip_user_info(self.url)
        self.headers = {"Authorization": f"token {token}"} if token else {}

    async def ask(self, method: str, path: str, body: Any = None, seconds: float = 0.0) -> tuple[int, Any]:
        """Status and JSON of an answer. Redirections are not followed: they would take the token elsewhere.

        Raises:
            GatewayUnusable: there is none, or the token is refused.
        """
        from tornado.httpclient import HTTPClientError, HTTPRequest
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        text = json.dumps(body) if body is not None else ("" if method == "POST" else None)
        request = HTTPRequest(
            f"{self.url}/{path}",
            method,
            self.headers | {"Content-Type": "application/json"},
            body=text,
            connect_timeout=ANSWER_SECONDS,
            request_timeout=seconds or ANSWER_SECONDS,
            follow_redirects=False,
        )
        client = SimpleAsyncHTTPClient(force_instance=True)
        try:
            answer = await client.fetch(request, raise_error=False)
        except (OSError, ValueError, HTTPClientError) as error:
            raise GatewayUnusable(f"the gateway {self.shown} cannot be reached: {error}", hint=_REACH) from None
        finally:
            client.close()
        return self._read(answer)

    def _read(self, answer: Any) -> tuple[int, Any]:
        if answer.code in {401, 403}:
            hint = "check the token, and the variable that `token-from` names"
            raise GatewayUnusable(f"the gateway {self.shown} refuses us (HTTP {answer.code})", hint=hint)
        if answer.code in {301, 302, 303, 307, 308}:
            raise GatewayUnusable(f"the gateway {self.shown} sends us elsewhere (HTTP {answer.code})", hint=_REACH)
        with suppress(ValueError):
            return answer.code, json.loads(answer.body or b"null")
        return answer.code, None


class GatewayKernels:
    """Backend for kernels of a gateway."""

    def __init__(self, place: Place) -> None:
        """Use the gateway of ``place``; it is not asked for anything yet."""
        if place.spec.gateway is None:
            raise AssertionError("the place is a gateway")
        self.spec = place.spec.gateway
        self.env = place.env
        self._specs: Mapping[str, Any] | None = None

    @property
    def gateway(self) -> Gateway:
        """The gateway, with the token of the environment.

        Raises:
            SecretMissing: the variable with the token is not set.
        """
        name = self.spec.token_from
        if name and not self.env.get(name):
            raise SecretMissing(f"the gateway's token is to come from {name}, which is not set", hint=f"set {name}")
        return Gateway(self.spec.url, self.env.get(name, "") if name else "")

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none.
            EnvironmentProblem: the gateway cannot be asked.
        """
        gateway = self.gateway
        if self._specs is None:
            status, answer = asyncio.run(gateway.ask("GET", "api/kernelspecs"))
            if status != 200 or not isinstance(answer, dict) or not isinstance(answer.get("kernelspecs"), dict):
                raise GatewayUnusable(f"{gateway.shown} is no Jupyter server (HTTP {status})", hint=_REACH)
            self._specs = answer["kernelspecs"]
        if name not in self._specs:
            there = nearest(name, list(self._specs)) or "it has no kernel at all"
            raise KernelMissing(f"there is no Jupyter kernel `{name}` on the gateway {gateway.shown}", hint=there)
        spec = self._specs[name].get("spec", {})
        return KernelChoice(
            name=name,
            spec_dir="",
            language=str(spec.get("language", "")),
            argv=tuple(map(str, spec.get("argv") or (gateway.shown,))),
            display_name=str(spec.get("display_name", name)),
            interrupt_mode="message",
            place={"url": gateway.shown},
        )

    def prepare(self, choice: KernelChoice, note: Callable[[str], None]) -> KernelChoice:
        """It is not ours to prepare."""
        del note
        return choice

    def start(self, launch: Launch) -> GatewayKernel:
        """A kernel that ``connect`` will ask the gateway for.

        Raises:
            KernelStartFailed: there is no token.
        """
        try:
            return GatewayKernel(self.gateway, launch)
        except EnvironmentProblem as error:
            raise KernelStartFailed(error.message, hint=error.hint) from None


def _path_of(status: int, answer: Any) -> str:
    """Where the REST API has the kernel that was asked for."""
    if status in {200, 201} and isinstance(answer, dict) and answer.get("id"):
        return f"api/kernels/{quote(str(answer['id']), safe='')}"
    said = f": {inline(str(answer['message']))}" if isinstance(answer, dict) and answer.get("message") else ""
    raise GatewayUnusable(f"the gateway started no kernel (HTTP {status}{said})")


class GatewayKernel:
    """One kernel on a gateway."""

    pid: int | None = None

    def __init__(self, gateway: Gateway, launch: Launch) -> None:
        """Nothing is asked for yet."""
        self.gateway = gateway
        self.launch = launch
        self.path = ""
        self.socket: Any = None
        self.outbox: list[str] = []
        """What is to be sent when the socket is open."""
        self.opened = asyncio.Event()
        self._ended = ""
        self._starting: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def connect(self) -> Any:
        """A manager of the kernel, which the gateway is asked for meanwhile."""
        from mlops_action.kernels.gateway_client import GatewayManager

        self._starting = asyncio.ensure_future(self._start())
        return GatewayManager(self)

    async def _start(self) -> None:
        """Have the kernel started, and open the way to it."""
        from mlops_action.kernels.gateway_client import opened

        passed = {name: value for name, value in self.launch.env.items() if name.startswith(PASSED_ON)}
        body = {"name": self.launch.choice.name} | ({"env": passed} if passed else {})
        try:
            self.path = _path_of(*await self.gateway.ask("POST", "api/kernels", body, START_SECONDS))
            self.socket = await opened(self.gateway, f"{self.path}/channels")
        except GatewayUnusable as error:
            self.over(error.message)
            return
        self._looking = asyncio.ensure_future(self._look())
        waiting, self.outbox = self.outbox, []
        for text in waiting:
            self.send(text)
        self.opened.set()

    def send(self, text: str) -> None:
        """Send a message, or keep it until that is possible; the end of a connection is told elsewhere."""
        if self.socket is None:
            self.outbox.append(text)
            return
        from tornado.websocket import WebSocketClosedError

        with suppress(WebSocketClosedError):
            self.socket.write_message(text)

    def over(self, how: str) -> None:
        """The kernel has ended; the first reason counts."""
        self._ended = self._ended or how

    async def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        await self.gateway.ask("POST", f"{self.path}/interrupt", seconds=PATIENCE_SECONDS)

    async def _look(self) -> None:
        """Look at the kernel from time to time: nobody tells us when it is culled, or its machine has gone."""
        unanswered = 0
        while not self._ended:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                status, answer = await self.gateway.ask("GET", self.path, seconds=LOOK_SECONDS * 2)
            except EnvironmentProblem as error:
                unanswered += 1
                if unanswered >= LOST_AFTER:
                    self.over(error.message)
                continue
            unanswered = 0
            if status == 404:
                self.over("the gateway does not know it any more: it died, or was ended there")
            elif isinstance(answer, dict) and answer.get("execution_state") == "dead":
                self.over("it died on the gateway")

    def stale(self) -> bool:
        """What is installed there is not ours to know."""
        return False

    def stray_text(self) -> str:
        """Is printed elsewhere."""
        return ""

    def ended_by(self) -> str:
        """How the kernel ended, or empty."""
        return self._ended

    async def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """Have the kernel ended; the gateway kills it when it does not listen."""
        if self._starting is not None:  # a kernel that was just asked for has to be ended as well
            await asyncio.wait({self._starting}, timeout=PATIENCE_SECONDS)
            self._starting.cancel()
        if self._looking is not None:
            self._looking.cancel()
        if self.socket is not None:
            self.socket.close()
        if self.path:
            with suppress(EnvironmentProblem):
                await self.gateway.ask("DELETE", self.path, seconds=max(patience, PATIENCE_SECONDS) * 2)

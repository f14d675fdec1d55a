"""How commands talk to a session's supervisor: lines of JSON over a private socket."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

LONGEST_LINE = 1 << 24
LOOK, STOP, ATTACH, INTERRUPT, DETACH = "look", "stop", "attach", "interrupt", "detach"
"""What a line may ask for (``do``): one of the first three first, the others while attached."""


def line_of(message: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"


def ask(control: Path, message: dict[str, Any], seconds: float = 10) -> dict[str, Any] | None:
    """The supervisor's answer; None when there is no supervisor, or it does not answer in time."""
    deadline = time.monotonic() + seconds
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(seconds)
            channel.connect(str(control))
            channel.sendall(line_of(message))
            got = b""
            while not got.endswith(b"\n"):
                channel.settimeout(max(0.01, deadline - time.monotonic()))
                piece = channel.recv(65536)
                if not piece:
                    return None
                got += piece
    except OSError:
        return None
    answer: dict[str, Any] = json.loads(got)
    return answer

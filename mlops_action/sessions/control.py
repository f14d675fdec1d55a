"""How commands talk to a session's supervisor: lines of JSON over a private socket."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

LONGEST_LINE = 1 << 24
LOOK, HOLD, STOP, ATTACH, INTERRUPT, DETACH = "look", "hold", "stop", "attach", "interrupt", "detach"
"""What a line may ask for (``do``): the last two while attached. ``HOLD`` looks, and announces an ``ATTACH``."""


def line_of(message: dict[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"


def ask(
    control: Path, message: dict[str, Any], seconds: float = 10, *, to_the_end: bool = False
) -> dict[str, Any] | None:
    """The supervisor's answer; None when there is no supervisor, or it does not answer in time.

    Args:
        control: its socket.
        message: the question.
        seconds: longest time to wait.
        to_the_end: wait until it closes the connection, which after ``STOP`` is the end of its process.
    """
    deadline = time.monotonic() + seconds
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(seconds)
            channel.connect(str(control))
            channel.sendall(line_of(message))
            got = b""
            while to_the_end or not got.endswith(b"\n"):
                channel.settimeout(max(0.01, deadline - time.monotonic()))
                piece = channel.recv(65536)
                if not piece:
                    break
                got += piece
    except OSError:
        return None
    answer: dict[str, Any] | None = json.loads(got) if got.endswith(b"\n") else None
    return answer

"""What a container prints past Jupyter's own channels."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import Any

from mlops_action.kernels.spawn import STRAY_LIMIT


@dataclass
class _Text:
    chunks: list[bytes]
    size: int = 0


class Heard:
    """What a container prints, as much of it as is wanted."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._text = _Text([])
        self._lock = threading.Lock()

    def listen(self, stream: Any) -> None:
        """Listen until ``stream`` ends."""
        with contextlib.suppress(Exception):  # a stream that breaks has ended
            for data in stream:
                with self._lock:
                    if self._text.size < STRAY_LIMIT:
                        self._text.chunks.append(data)
                        self._text.size += len(data)
        hang_up(stream)

    def take(self) -> str:
        """What was heard since the last call."""
        with self._lock:
            text, self._text = self._text, _Text([])
        return b"".join(text.chunks).decode("utf-8", errors="replace")


def hang_up(stream: Any) -> None:
    """Close the connection of a stream of the engine; its own ``close`` leaves that to the garbage collector."""
    with contextlib.suppress(Exception):
        stream._response.close()

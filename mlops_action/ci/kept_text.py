"""What a notebook prints while others print too: kept until it can be shown as one piece."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

from mlops_action.redact import Redactor
from mlops_action.sanitize import GUTTER, GutterStream

IN_MEMORY = 2 * 1024 * 1024
"""More bytes than this go to a temporary file without a name."""
MOST = 64 * 1024 * 1024
"""More bytes than this are counted, not kept: all of it is in the executed notebook."""


class KeptText:
    """Gutter lines of one step, secrets masked; used from one thread at a time."""

    def __init__(self, redactor: Redactor, most: int = MOST) -> None:
        """Keep at most ``most`` bytes."""
        self._redactor = redactor
        self._most = most
        self._stream = GutterStream(redactor.text)
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by `lines`
        self._size = 0
        self._left_out = 0

    def feed(self, text: str) -> None:
        """Take a piece of text."""
        self._keep(self._stream.feed(text))

    def lines(self) -> Iterator[str]:
        """All lines, once; nothing can be fed after it."""
        self._keep(self._stream.close())
        with self._file as kept:
            kept.seek(0)
            for line in kept:
                yield line.decode("utf-8").removesuffix("\n")
        if self._left_out:
            yield f"{GUTTER}… {self._left_out} more lines are in the executed notebook"

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            data = (self._redactor.text(line) + "\n").encode("utf-8", errors="replace")
            if self._size + len(data) > self._most:
                self._left_out += 1
                continue
            self._size += len(data)
            self._file.write(data)

"""The log: our own lines, and foreign text behind the gutter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from mlops_action.ci.interface import CiSystem
from mlops_action.redact import Redactor
from mlops_action.sanitize import GutterStream

COLORS = {"pass": "32", "ok": "32", "fail": "31", "failed": "31", "warn": "33", "inconclusive": "35", "dim": "2"}


class Console:
    """Writes to the log of one process."""

    def __init__(self, out: TextIO, system: CiSystem, redactor: Redactor, env: Mapping[str, str]) -> None:
        """Write to ``out`` in the form of ``system``, with colour where a person is looking."""
        self.out = out
        self.system = system
        self.redactor = redactor
        forced, refused = env.get("FORCE_COLOR", ""), env.get("NO_COLOR", "")
        self.colored = not refused and (forced not in {"", "0"} or (out.isatty() and env.get("TERM") != "dumb"))
        self._stream: GutterStream | None = None

    def say(self, *lines: str) -> None:
        """Our own lines; foreign text in them has gone through ``inline``."""
        for line in lines:
            self.out.write(self._encodable(self.redactor.text(line)) + "\n")
        self.out.flush()

    def paint(self, text: str, color: str) -> str:
        """``text`` in the colour of an outcome, where there are colours."""
        return f"\x1b[{COLORS[color]}m{text}\x1b[0m" if self.colored and color in COLORS else text

    def begin(self, title: str) -> None:
        """Begin a group whose content is foreign text."""
        self._stream = GutterStream()
        self.say(*self.system.open_group(title))

    def foreign(self, text: str) -> None:
        """Text from a notebook, inside a group."""
        if self._stream is not None and text:
            lines = self._stream.feed(text)
            if lines:
                self.say(*lines)

    def end(self) -> None:
        """End the group."""
        if self._stream is not None:
            self.say(*self._stream.close(), *self.system.close_group())
            self._stream = None

    def _encodable(self, line: str) -> str:
        encoding = self.out.encoding or "utf-8"
        return line.encode(encoding, errors="replace").decode(encoding)

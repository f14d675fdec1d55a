"""The log: our own lines, and foreign text behind the gutter. Every method may be called from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TextIO

from mlops_action.ci.interface import CiSystem, MasksSecrets
from mlops_action.redact import Redactor
from mlops_action.sanitize import GutterStream

COLORS = {
    "pass": "32",
    "ok": "32",
    "fail": "31",
    "failed": "31",
    "warn": "33",
    "inconclusive": "35",
    "info": "36",
    "dim": "2",
}
LINES_AT_ONCE = 500
CI_MARKS = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables that say that nobody watches, even where the output is a terminal's."""


class Console:
    """Writes to the log of one process; what is said at once stays together."""

    def __init__(self, out: TextIO, system: CiSystem, redactor: Redactor, env: Mapping[str, str]) -> None:
        """Write to ``out`` in the form of ``system``, with colour where a person is looking."""
        self.out = out
        self.system = system
        self.redactor = redactor
        terminal = out.isatty() and env.get("TERM") != "dumb"
        forced, refused = env.get("FORCE_COLOR", ""), env.get("NO_COLOR", "")
        self.colored = not refused and (forced not in {"", "0"} or terminal)
        self.watched = terminal and not any(env.get(name, "").lower() not in {"", "0", "false"} for name in CI_MARKS)
        """Whether a person is looking at a terminal: only there lines may be drawn over."""
        self._stream: GutterStream | None = None
        self._lock = threading.RLock()
        self._write: Callable[[str], object] = self._write_plainly
        self._last = time.monotonic()

    def say(self, *lines: str) -> None:
        """Our own lines; foreign text in them has gone through ``inline``."""
        self._say(self.redactor.text(line) for line in lines)

    def conceal(self) -> None:
        """Before anything else is printed: ask the CI system to mask the secrets, too, also in what others print."""
        if isinstance(self.system, MasksSecrets):
            self._say(self.system.mask(secret) for secret in self.redactor.given)

    def paint(self, text: str, color: str) -> str:
        """``text`` in the colour of an outcome, where there are colours."""
        return f"\x1b[{COLORS[color]}m{text}\x1b[0m" if self.colored and color in COLORS else text

    def begin(self, title: str) -> None:
        """Begin a group whose content is foreign text."""
        with self._lock:
            self._stream = GutterStream(self.redactor.text)
            self.say(*self.system.open_group(title))

    def foreign(self, text: str) -> None:
        """Text from a notebook, inside a group."""
        with self._lock:
            lines = self._stream.feed(text) if self._stream is not None and text else []
            if lines:  # secrets are masked in them already
                self._say(lines)

    def end(self) -> None:
        """End the group."""
        with self._lock:
            if self._stream is not None:
                self.say(*self._stream.close(), *self.system.close_group())
                self._stream = None

    def group(self, title: str, lines: Iterable[str], after: Iterable[str]) -> None:
        """A whole group of gutter lines from which secrets are masked already, and what is said after it."""
        with self._lock:
            self.say(*self.system.open_group(title))
            self._say(lines)
            self.say(*self.system.close_group(), *after)

    def quiet_seconds(self) -> float:
        """How long nothing was said."""
        return time.monotonic() - self._last

    @contextmanager
    def written_by(self, write: Callable[[str], object]) -> Iterator[None]:
        """While inside, whole lines go to ``write``, which draws something of its own as well."""
        with self._lock:
            self._write = write
        try:
            yield
        finally:
            with self._lock:
                self._write = self._write_plainly

    def _say(self, lines: Iterable[str]) -> None:
        encoding = self.out.encoding or "utf-8"
        with self._lock:
            rest = iter(lines)
            while at_once := list(islice(rest, LINES_AT_ONCE)):
                self._write("\n".join(at_once).encode(encoding, errors="replace").decode(encoding))
            self.out.flush()
            self._last = time.monotonic()

    def _write_plainly(self, text: str) -> None:
        self.out.write(text + "\n")

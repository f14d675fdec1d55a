"""Outputs of cells within a budget: memory stays bounded whatever a notebook prints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mlops_action.config.values import size_text
from mlops_action.sanitize import last_redraw

DEEPEST = 200
"""Levels of JSON that are kept: everything that looks through a notebook has to come down again."""
OVERHEAD = 100
"""Bytes that an output counts beside its text, so that a million empty ones are not free."""


@dataclass
class OutputBudget:
    """How many bytes may still be kept, of this cell and of the notebook; 0 is without limit."""

    per_cell: int
    per_notebook: int
    used_in_notebook: int = 0
    used_in_cell: int = 0
    cut: int = 0

    def next_cell(self) -> None:
        """Begin another cell."""
        self.used_in_cell, self.cut = 0, 0

    def left(self) -> int:
        """Bytes that may still be kept."""
        limits = [
            limit - used
            for limit, used in ((self.per_cell, self.used_in_cell), (self.per_notebook, self.used_in_notebook))
            if limit
        ]
        return max(0, min(limits)) if limits else 1 << 62

    def take(self, count: int) -> None:
        """Note that ``count`` bytes are kept; a negative count gives some back."""
        self.used_in_cell += count
        self.used_in_notebook += count

    def mark(self) -> str:
        """The line that says what is missing."""
        return f"[{size_text(self.cut)} of output left out here: more than `max-output` allows]"


class StreamText:
    """The text of one stream as a terminal would show it in the end.

    Complete lines are kept as they are; of a line that is drawn over and over (a progress
    bar) only the last drawing is kept, so that it costs no memory.
    """

    def __init__(self, budget: OutputBudget) -> None:
        """Take what is kept from ``budget``."""
        self.budget = budget
        self._done: list[str] = []
        self._line = ""

    def add(self, text: str) -> str:
        """Add text; what fits into the budget is given back, for the log."""
        left = self.budget.left()
        fits = text if len(text) <= left else text[:left]
        self.budget.cut += len(text) - len(fits)
        head, newline, tail = (self._line + fits).rpartition("\n")
        before = len(self._line)
        if newline:
            shown = collapse_redraws(head) + "\n"
            self._done.append(shown)
            self.budget.take(len(shown))
        self._line = _last_drawing(tail)
        self.budget.take(len(self._line) - before)
        return fits

    def text(self) -> str:
        """All of it so far."""
        return "".join(self._done) + collapse_redraws(self._line)


def collapse_redraws(text: str) -> str:
    """Keep of each line what a terminal would show last."""
    if "\r" not in text:
        return text
    return "\n".join(last_redraw(line) for line in text.replace("\r\n", "\n").split("\n"))


def _last_drawing(line: str) -> str:
    """An unfinished line without what was drawn over; a final return still waits for what follows."""
    if "\r" not in line:
        return line
    return last_redraw(line) + ("\r" if line.endswith("\r") else "")


def whole_bundle(data: Any) -> dict[str, Any]:
    """A MIME bundle as notebooks can hold it: texts, and JSON that is not nested absurdly deep.

    Kernels check nothing of what a notebook shows.
    """
    found: dict[str, Any] = {}
    for mime, value in data.items() if isinstance(data, dict) else ():
        if mime == "application/json" or mime.endswith("+json"):
            found |= {mime: value} if is_shallow(value) else {}
        elif isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            found[mime] = value
        elif value is not None and is_shallow(value):
            found[mime] = str(value)
    return found


def is_shallow(value: Any) -> bool:
    """Whether a JSON value is nested at most ``DEEPEST`` deep."""
    level = [value]
    for _ in range(DEEPEST):
        inside = [each for each in level if isinstance(each, (dict, list))]
        if not inside:
            return True
        level = [each for item in inside for each in (item.values() if isinstance(item, dict) else item)]
    return False


def bundle_size(data: Any) -> int:
    """Bytes that a MIME bundle takes, near enough."""
    if isinstance(data, str):
        return len(data)
    if isinstance(data, dict):
        return OVERHEAD + sum(bundle_size(value) for value in data.values())
    return len(json.dumps(data, default=str))

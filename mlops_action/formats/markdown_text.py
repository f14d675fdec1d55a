"""Foreign text in Markdown: it shows just what it says and cannot break out of its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from mlops_action.formats.story import clipped, lines_of
from mlops_action.sanitize import inline

T = TypeVar("T")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~@])")


def escaped(text: str) -> str:
    """Text as one line of Markdown that shows just what it says; pairs of backticks make code."""
    parts = inline(text).split("`")
    if len(parts) % 2 == 0:
        parts = ["`".join(parts)]
    return "".join(f"`{_in_code(part)}`" if i % 2 and part else _plain(part) for i, part in enumerate(parts))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("://", ":\u200b//")


def _in_code(text: str) -> str:
    return text.replace("|", "\\|")


def fenced(text: str) -> str:
    """Foreign text as a code block that it cannot end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n" + "\n".join(lines_of(text)) + f"\n{fence}"


class Writer:
    """Writes tables and texts that are cut, with a count, after so many rows and characters."""

    def __init__(self, rows: int, characters: int) -> None:
        """Cut tables after ``rows`` and a text in them after ``characters``; code may be ten times as long."""
        self.rows = rows
        self.characters = characters

    def text(self, text: str) -> str:
        """One line of foreign text."""
        return escaped(clipped(text, self.characters))

    def code(self, text: str) -> str:
        """Several lines of foreign text."""
        return fenced(clipped(text, 10 * self.characters))

    def end_of(self, text: str) -> str:
        """Several lines of which the last ones matter most."""
        limit = 10 * self.characters
        dropped = len(text) - limit
        return fenced(text if dropped <= 0 else f"({dropped} characters before this)\n… {text[-limit:]}")

    def table(self, head: tuple[str, ...], things: Sequence[T], row: Callable[[T], tuple[str, ...]]) -> str:
        """A table of things, of which ``row`` gives the escaped cells; columns that no row fills are left out."""
        rows = [row(each) for each in things[: self.rows]]
        used = [i for i in range(len(head)) if any(cells[i] for cells in rows)] or [*range(len(head))]
        shown = [tuple(cells[i] for i in used) for cells in (head, *rows)]
        shown.insert(1, ("---",) * len(used))
        lines = ["| " + " | ".join(cells) + " |" for cells in shown]
        if len(things) > self.rows:
            lines.append(f"\n… and {len(things) - self.rows} more rows")
        return "\n".join(lines)

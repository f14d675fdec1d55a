"""On which line of its cell something failed, as far as the kernel tells."""

from __future__ import annotations

import re
from typing import Any

_PYTHON = re.compile(r"(?:Cell|Input) In ?\[(\d+)\], line (\d+)|<ipython-input-(\d+)-[^>]*> in .*?\n.*?-+> (\d+) ")
_R_CALL = re.compile(r"(?m)^\s*\d+\. (.*?)\s*# at lines? (\d+)(?:-\d+)? of file <text>$")
_R_SYNTAX = re.compile(r"<text>:(\d+):\d+: ")
_CALL_LENGTH = 20
"""Characters of a call that are looked for: R writes it in its own way, so that long ones differ."""


def line_in_cell(traceback: str, cell: Any, counted: int | None = None) -> int | None:
    """The line of ``cell``, counted from 1, that a traceback names last.

    Args:
        traceback: the kernel's, without terminal escapes.
        cell: of the notebook.
        counted: the number that the kernel gave it, where that is not the notebook's: in a session.

    Functions of other cells are in the traceback as well: their lines do not count. Deno's lines
    are those of what it makes of the cell, so none is read.
    """
    count, lines = counted or cell.get("execution_count"), cell["source"].splitlines()
    found = [
        int(match[2] or match[4])
        for match in _PYTHON.finditer(traceback)
        if count is None or int(match[1] or match[3]) == count
    ]
    for match in _R_CALL.finditer(traceback):
        line = int(match[2])
        if line <= len(lines) and _squeezed(match[1])[:_CALL_LENGTH] in _squeezed("\n".join(lines[line - 1 :])):
            found.append(line)
    found += [min(int(match[1]), len(lines)) for match in _R_SYNTAX.finditer(traceback)]
    return found[-1] if found else None


def _squeezed(text: str) -> str:
    """Without what R writes anew: blanks and the kind of quotes."""
    return re.sub(r"\s", "", text).replace("'", '"')

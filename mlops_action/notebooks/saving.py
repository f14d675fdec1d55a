"""The executed notebook as bytes: while it runs, and with a mark where it failed."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring as encode_text
from typing import Any

from mlops_action.canonical import only_line_ends, quoted
from mlops_action.notebooks.select import MARK
from mlops_action.records import Failure

BANNER = "banner"
FAILED_ANCHOR = "mlops-action-failed-cell"


def notebook_bytes(notebook: Any) -> str:
    """The notebook as nbformat writes it, texts split into lines so that diffs stay small."""
    from nbformat.v4.rwbase import split_lines, strip_transient

    written = strip_transient(split_lines(copy.deepcopy(notebook)))
    return "".join([*_indented(written, "\n"), "\n"])


def _indented(value: Any, line: str) -> Iterator[str]:
    """Pieces of what ``json.dumps(value, indent=1, sort_keys=True)`` gives, for lists of texts many times quicker.

    ``line`` begins a line at the depth of the value.
    """
    inner = line + " "
    if isinstance(value, dict) and value and all(type(key) is str for key in value):
        before = "{"
        for key in sorted(value):
            yield f"{before}{inner}{encode_text(key)}: "
            yield from _indented(value[key], inner)
            before = ","
        yield line + "}"
    elif isinstance(value, list) and value:
        if all(type(each) is str for each in value):
            encoded = quoted if only_line_ends("".join(value)) else encode_text
            yield "[" + inner + f",{inner}".join(map(encoded, value)) + line + "]"
            return
        before = "["
        for each in value:
            yield before + inner
            yield from _indented(each, inner)
            before = ","
        yield line + "]"
    else:
        yield json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).replace("\n", line)


def with_banner(notebook: Any, failure: Failure) -> Any:
    """A copy of the notebook that begins with the failure and links to the cell.

    The next run removes both marks (see ``strip_banner``); the given notebook is not changed.
    """
    from nbformat.v4 import new_markdown_cell

    marked = copy.copy(notebook)
    cells = list(notebook.cells)
    said = failure.message.replace("\n", " ").replace("`", "'")
    where = ""
    if failure.cell is not None and failure.cell < len(cells):
        anchor = f'<a id="{FAILED_ANCHOR}"></a>**The cell below failed**: `{said}`'
        cells.insert(failure.cell, new_markdown_cell(anchor, id=FAILED_ANCHOR, metadata={MARK: {BANNER: True}}))
        where = f" in [this cell](#{FAILED_ANCHOR})"
    top = f"**This run failed{where}**: `{said}`" + (f"\n\nWhat to do: {failure.hint}." if failure.hint else "")
    cells.insert(0, new_markdown_cell(top, id="mlops-action-failure", metadata={MARK: {BANNER: True}}))
    marked["cells"] = cells
    return marked


def strip_banner(notebook: Any) -> None:
    """Remove the marks that a failed run left."""
    notebook["cells"][:] = [cell for cell in notebook["cells"] if not _is_banner(cell)]


def _is_banner(cell: Any) -> bool:
    mark = cell.get("metadata", {}).get(MARK)
    return isinstance(mark, dict) and mark.get(BANNER) is True


class Saver:
    """Saves as the run goes on, at a rate that its own cost bounds.

    Args:
        save: writes the notebook as it is.
        clock: seconds, monotonic.
    """

    SHARE = 0.05
    """Share of the time that saving may take."""
    PAUSE_SECONDS = 2.0

    def __init__(self, save: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is saved yet; the first pause begins now."""
        self._save = save
        self._clock = clock
        self._next = clock() + self.PAUSE_SECONDS

    def reached(self) -> None:
        """A cell has ended: save when it is time."""
        begun = self._clock()
        if begun >= self._next:
            self._save()
            took = self._clock() - begun
            self._next = self._clock() + max(self.PAUSE_SECONDS, took / self.SHARE)

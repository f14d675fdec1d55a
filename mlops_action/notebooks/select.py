"""Which cells run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlops_action.errors import BadValue, nearest
from mlops_action.notebooks.cells import KERNEL, MARK, SKIP_TAG, WIDGETS, kernel_label, name_of, tags_of
from mlops_action.notebooks.headings import headings_by_cell
from mlops_action.records import CellSelection

__all__ = ["MARK", "SKIP_TAG", "chosen_cells", "prepare_cells", "tags_of"]


def chosen_cells(notebook: Any, selection: CellSelection, origin: str) -> list[int]:
    """Places of the code cells that run, in notebook order. All conditions that are given must hold.

    Raises:
        BadValue: a tag, id, name, heading, place or pattern that no cell has, or nothing is left to run.
    """
    cells = notebook["cells"]
    places = _places(selection.index, len(cells), origin)
    above = headings_by_cell(cells) if selection.headings else [()] * len(cells)
    _check_named(cells, selection, above, origin)
    pattern = _pattern(cells, selection.matching, origin)
    chosen = [
        i
        for i, cell in enumerate(cells)
        if _runs(cell)
        and (places is None or i in places)
        and (pattern is None or pattern.search(cell["source"]))
        and (not selection.headings or set(above[i]) & set(selection.headings))
        and _wanted(cell, selection)
    ]
    if not chosen and selection != CellSelection():
        raise BadValue("the choice of cells leaves no code to run", origin=origin)
    return chosen


def _runs(cell: Any) -> bool:
    """Whether a cell is code at all, and not marked to be left out by whoever wrote it."""
    return cell["cell_type"] == "code" and bool(cell["source"].strip()) and SKIP_TAG not in tags_of(cell)


def _wanted(cell: Any, selection: CellSelection) -> bool:
    tags = set(tags_of(cell))
    by_id = not selection.ids or cell.get("id") in selection.ids
    by_name = not selection.names or name_of(cell) in selection.names
    by_tag = not selection.tags or bool(tags & set(selection.tags))
    return by_id and by_name and by_tag and not tags & set(selection.skip_tags)


def _check_named(cells: Sequence[Any], selection: CellSelection, above: Sequence[Sequence[str]], origin: str) -> None:
    """Refuse names that no cell has: they are typing errors."""
    known_tags = sorted({tag for cell in cells for tag in tags_of(cell)})
    headings = list(dict.fromkeys(heading for each in above for heading in each))
    for what, wanted, known in (
        ("no cell has the id", selection.ids, [cell["id"] for cell in cells if cell.get("id")]),
        ("no cell has the tag", (*selection.tags, *selection.skip_tags), known_tags),
        ("no cell has the name", selection.names, [name for cell in cells if (name := name_of(cell))]),
        ("there is no heading", selection.headings, headings),
    ):
        for name in wanted:
            if name not in known:
                raise BadValue(f"{what} `{name}`", origin=origin, hint=nearest(name, known))


def _pattern(cells: Sequence[Any], matching: str, origin: str) -> re.Pattern[str] | None:
    """The regular expression, `^` and `$` at each line, when one is given."""
    if not matching:
        return None
    try:
        pattern = re.compile(matching, re.MULTILINE)
    except re.error as error:
        raise BadValue(f"`{matching}` is no regular expression: {error}", origin=origin) from None
    if not any(pattern.search(source) for source in _code(cells)):
        hint = nearest(matching.strip("^$"), [line for source in _code(cells) for line in source.splitlines()][:200])
        hint = (
            hint if hint.startswith("did") else "it is searched for in each cell's source; `^` and `$` match at lines"
        )
        raise BadValue(f"no code cell matches `{matching}`", origin=origin, hint=hint)
    return pattern


def _code(cells: Sequence[Any]) -> Iterator[str]:
    return (cell["source"] for cell in cells if cell["cell_type"] == "code")


def _places(index: str, count: int, origin: str) -> set[int] | None:
    if not index:
        return None
    places: set[int] = set()
    for part in index.split(","):
        first, _, last = part.strip().partition("-")
        start, end = int(first), int(last or first)
        if end >= count:
            beyond = max(start, count)
            raise BadValue(f"there is no cell {beyond}: the notebook has {count} cells, counted from 0", origin=origin)
        places |= set(range(start, end + 1))
    return places


def prepare_cells(notebook: Any, chosen: list[int]) -> None:
    """Clear what an earlier run left in the code cells and of widgets, and mark the cells that are left out.

    What a cell says of its kernel stays.
    """
    running = set(chosen)
    notebook["metadata"].pop(WIDGETS, None)
    for i, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        label = kernel_label(cell)
        cell["outputs"] = []
        cell["execution_count"] = None
        cell["metadata"].pop(MARK, None)
        cell["metadata"].pop("execution", None)
        mark = ({KERNEL: label} if label else {}) | ({} if i in running else {"skipped": True})
        if mark:
            cell["metadata"][MARK] = mark

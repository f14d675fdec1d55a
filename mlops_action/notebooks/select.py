"""Which cells run."""

from __future__ import annotations

from typing import Any

from mlops_action.errors import BadValue, nearest
from mlops_action.records import CellSelection

SKIP_TAG = "skip-execution"
MARK = "mlops-action"


def tags_of(cell: Any) -> list[str]:
    """Tags of a cell; whatever else stands in their place counts as none."""
    tags = cell.get("metadata", {}).get("tags", [])
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def chosen_cells(notebook: Any, selection: CellSelection, origin: str) -> list[int]:
    """Places of the code cells that run, in notebook order.

    Raises:
        BadValue: a tag, id or place that no cell has, or nothing is left to run.
    """
    cells = notebook["cells"]
    places = _places(selection.index, len(cells), origin)
    _check_named(cells, selection, origin)
    chosen = [
        i
        for i, cell in enumerate(cells)
        if _runs(cell) and (places is None or i in places) and _wanted(cell, selection)
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
    by_tag = not selection.tags or bool(tags & set(selection.tags))
    return by_id and by_tag and not tags & set(selection.skip_tags)


def _check_named(cells: list[Any], selection: CellSelection, origin: str) -> None:
    """Refuse names that no cell has: they are typing errors."""
    known_ids = [cell["id"] for cell in cells if cell.get("id")]
    known_tags = sorted({tag for cell in cells for tag in tags_of(cell)})
    for what, wanted, known in (
        ("id", selection.ids, known_ids),
        ("tag", (*selection.tags, *selection.skip_tags), known_tags),
    ):
        for name in wanted:
            if name not in known:
                raise BadValue(f"no cell has the {what} `{name}`", origin=origin, hint=nearest(name, known))


def _places(index: str, count: int, origin: str) -> set[int] | None:
    if not index:
        return None
    places: set[int] = set()
    for part in index.split(","):
        first, _, last = part.strip().partition("-")
        places |= set(range(int(first), int(last or first) + 1))
    beyond = [place for place in places if place >= count]
    if beyond:
        raise BadValue(f"there is no cell {min(beyond)}: the notebook has {count} cells, counted from 0", origin=origin)
    return places


def prepare_cells(notebook: Any, chosen: list[int]) -> None:
    """Clear what an earlier run left in the code cells, and mark those that are left out."""
    for i, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        cell["outputs"] = []
        cell["execution_count"] = None
        cell["metadata"].pop(MARK, None)
        cell["metadata"].pop("execution", None)
        if i not in chosen:
            cell["metadata"][MARK] = {"skipped": True}

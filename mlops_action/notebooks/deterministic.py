"""Executed notebooks without anything that differs between equal runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mlops_action.notebooks.cells import MARK, WIDGETS
from mlops_action.notebooks.compare_texts import without_process_number

TIMES = frozenset({"execution", "papermill", "ExecuteTime"})
"""Keys of a cell's or notebook's metadata in which tools note when and how long something ran."""
MEASURES = frozenset({"seconds", "cpu_seconds", "peak_memory", "started", "finished"})
"""The same, of our own mark."""
_VIEW = "application/vnd.jupyter.widget-view+json"
_MODEL = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def make_deterministic(notebook: Any) -> None:
    """Change an executed notebook in place, so that equal runs give equal bytes.

    Times and measures are removed; ids of widgets are numbered in their order, missing ids of
    cells are made from their places; in a row of stdout and stderr, which arrive in any order,
    stdout comes first; keys are sorted. What the code itself printed is kept, but for the
    number of the kernel's process that IPython puts into the file names of warnings.
    """
    _drop_times(notebook["metadata"])
    names: set[str] = {cell["id"] for cell in notebook["cells"] if cell.get("id")}
    for place, cell in enumerate(notebook["cells"]):
        _drop_times(cell["metadata"])
        if not cell.get("id"):
            cell["id"] = _free(f"cell-{place}", names)
        if cell["cell_type"] == "code":
            cell["outputs"] = _streams_in_order(cell["outputs"])
    models = {old: f"{number:032x}" for number, old in enumerate(dict.fromkeys(_models(notebook)), start=1)}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [_settled(output, models) for output in cell["outputs"]]
    if WIDGETS in notebook["metadata"]:
        notebook["metadata"][WIDGETS] = _settled(notebook["metadata"][WIDGETS], models)
    _sort_keys(notebook)


def _drop_times(metadata: Any) -> None:
    for key in TIMES & set(metadata):
        del metadata[key]
    mark = metadata.get(MARK)
    if isinstance(mark, dict):
        for key in MEASURES & set(mark):
            del mark[key]
        if not mark:
            del metadata[MARK]


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    taken.add(name)
    return name


def _streams_in_order(outputs: list[Any]) -> list[Any]:
    """Join what stands between two other outputs of each stream; stdout comes first."""
    ordered: list[Any] = []
    row: dict[str, Any] = {}
    for output in outputs:
        if output["output_type"] != "stream":
            ordered += [row[name] for name in sorted(row, reverse=True)]
            ordered.append(output)
            row = {}
        elif (name := output.get("name", "stdout")) in row:
            row[name]["text"] += output["text"]
        else:
            row[name] = output
    return ordered + [row[name] for name in sorted(row, reverse=True)]


def _models(notebook: Any) -> Iterator[str]:
    """Ids of widget models: those that are shown, in notebook order, then the others as they were made."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get(_VIEW)
            if isinstance(view, dict) and isinstance(view.get("model_id"), str):
                yield view["model_id"]
    for state in notebook["metadata"].get(WIDGETS, {}).values():
        models = state.get("state") if isinstance(state, dict) else None
        yield from models if isinstance(models, dict) else ()


def _settled(value: Any, models: dict[str, str]) -> Any:
    """A JSON value with every id of a model replaced, wherever it stands."""
    if isinstance(value, str):
        text = without_process_number(value)
        return _MODEL.sub(lambda found: models.get(found.group(0), found.group(0)), text) if models else text
    if isinstance(value, list):
        return [_settled(item, models) for item in value]
    if isinstance(value, dict):
        return type(value)({_settled(key, models): _settled(item, models) for key, item in value.items()})
    return value


def _sort_keys(value: Any) -> None:
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0])
        value.clear()
        value.update(items)
        for _, item in items:
            _sort_keys(item)
    elif isinstance(value, list):
        for item in value:
            _sort_keys(item)

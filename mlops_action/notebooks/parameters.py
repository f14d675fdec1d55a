"""Parameters: the cell tagged ``parameters`` holds defaults, a cell after it the run's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_action.errors import BadValue
from mlops_action.notebooks import LANGUAGES
from mlops_action.notebooks.assignments import assignments
from mlops_action.notebooks.cells import KERNEL, MARK, kernel_label, tags_of
from mlops_action.registry import load_from

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
INJECTED_ID = "injected-parameters"


def strip_injected(notebook: Any) -> None:
    """Remove the cell that an earlier run injected."""
    notebook["cells"][:] = [cell for cell in notebook["cells"] if INJECTED_TAG not in tags_of(cell)]


def parameters_cell(cells: Sequence[Any]) -> int | None:
    """Place of the first code cell tagged ``parameters``."""
    tagged = (i for i, each in enumerate(cells) if each["cell_type"] == "code" and PARAMETERS_TAG in tags_of(each))
    return next(tagged, None)


def parameters_label(cells: Sequence[Any]) -> str:
    """What the notebook calls the kernel of its parameters; empty for its first one."""
    place = parameters_cell(cells)
    return "" if place is None else kernel_label(cells[place])


def parameters_source(cells: Sequence[Any], parameters: dict[str, Any], language: str, origin: str) -> str:
    """What the injected cell says: the values, declared so that it works after the cell tagged ``parameters``.

    Raises:
        BadValue: the kernel's language is not known, or a value cannot be written in it.
    """
    if language.lower() not in LANGUAGES:
        raise BadValue(
            f"parameters cannot be written in `{language}`",
            origin=origin,
            hint=f"languages with parameters: {', '.join(LANGUAGES)}; pass the values in a file",
        )
    place = parameters_cell(cells)
    writer = load_from(LANGUAGES, language.lower())()
    return assignments(writer if place is None else writer.after(cells[place]["source"]), parameters, origin)


def inject(notebook: Any, parameters: dict[str, Any], language: str, origin: str) -> int | None:
    """Put the cell with the run's values into the notebook.

    It goes after the cell tagged ``parameters`` and into that cell's kernel, or to the top when
    there is none.

    Args:
        notebook: the notebook, which is changed.
        parameters: values by name.
        language: language of the kernel that gets them (``notebooks.language_key``).
        origin: what to name in errors.

    Returns:
        The new cell's place, or None when there is nothing to inject.

    Raises:
        BadValue: the kernel's language is not known, or a value cannot be written in it.
    """
    cells = notebook["cells"]
    if not parameters:
        return None
    from nbformat.v4 import new_code_cell

    source = parameters_source(cells, parameters, language, origin)
    label = parameters_label(cells)
    metadata = {"tags": [INJECTED_TAG]} | ({MARK: {KERNEL: label}} if label else {})
    place = parameters_cell(cells)
    place = 0 if place is None else place + 1
    cells.insert(place, new_code_cell(source, id=INJECTED_ID, metadata=metadata))
    return place

"""Parameters: the cell tagged ``parameters`` holds defaults, a cell after it the run's values."""

from __future__ import annotations

from typing import Any

from mlops_action.errors import BadValue
from mlops_action.notebooks import LANGUAGES
from mlops_action.notebooks.assignments import assignments
from mlops_action.notebooks.select import tags_of
from mlops_action.registry import load_from

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
INJECTED_ID = "injected-parameters"


def strip_injected(notebook: Any) -> None:
    """Remove the cell that an earlier run injected."""
    notebook["cells"][:] = [cell for cell in notebook["cells"] if INJECTED_TAG not in tags_of(cell)]


def inject(notebook: Any, parameters: dict[str, Any], language: str, origin: str) -> int | None:
    """Put the cell with the run's values into the notebook.

    It goes after the cell tagged ``parameters``, or to the top when there is none.

    Returns:
        The new cell's place, or None when there is nothing to inject.

    Raises:
        BadValue: the kernel's language is not known, or a value cannot be written in it.
    """
    cells = notebook["cells"]
    if not parameters:
        return None
    if language.lower() not in LANGUAGES:
        raise BadValue(
            f"parameters cannot be written in `{language}`",
            origin=origin,
            hint=f"languages with parameters: {', '.join(LANGUAGES)}; pass the values in a file",
        )
    from nbformat.v4 import new_code_cell

    source = assignments(load_from(LANGUAGES, language.lower())(), parameters, origin)
    cell = new_code_cell(source, id=INJECTED_ID, metadata={"tags": [INJECTED_TAG]})
    tagged = [i for i, each in enumerate(cells) if PARAMETERS_TAG in tags_of(each)]
    place = tagged[0] + 1 if tagged else 0
    cells.insert(place, cell)
    return place

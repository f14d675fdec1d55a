"""A step's notebook, whatever it is written in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_action.errors import BadNotebook
from mlops_action.notebooks import READERS
from mlops_action.records import KernelChoice
from mlops_action.registry import load_from

SNIPPET_CELL = "snippet"


def read_notebook(path: Path, shown_as: str) -> Any:
    """Read a notebook file by its ending.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: unknown ending, or not a valid notebook.
    """
    check_ending(path, shown_as)
    return load_from(READERS, path.suffix)(path, shown_as)


def check_ending(path: Path, shown_as: str) -> None:
    """See whether there is a reader for a file of this name.

    Raises:
        BadNotebook: unknown ending.
    """
    if path.suffix not in READERS:
        known = ", ".join(f"`{ending}`" for ending in READERS)
        said = f"not a notebook: its name ends in `{path.suffix}`"
        raise BadNotebook(said, origin=shown_as, hint=f"known endings: {known}; put code of other kinds under `code`")


def snippet_notebook(code: str, kernel: KernelChoice) -> Any:
    """A notebook of one cell that holds ``code``."""
    from nbformat.v4 import new_code_cell, new_notebook

    cell = new_code_cell(code, id=SNIPPET_CELL)
    return use_kernel(new_notebook(cells=[cell]), kernel)


def use_kernel(notebook: Any, kernel: KernelChoice) -> Any:
    """Name ``kernel`` in the notebook's metadata, so that the executed file says what ran it."""
    notebook.metadata["kernelspec"] = {
        "name": kernel.name,
        "display_name": kernel.display_name or kernel.name,
        "language": kernel.language,
    }
    return notebook

"""A step's notebook, whatever it is written in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_action.errors import BadNotebook
from mlops_action.notebooks import READERS
from mlops_action.notebooks.interface import NotebookReader
from mlops_action.records import KernelChoice
from mlops_action.registry import load_from

SNIPPET_CELL = "snippet"


def read_notebook(path: Path, shown_as: str) -> Any:
    """Read a notebook file by its ending.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: unknown ending, or not a valid notebook.
    """
    return _reader(path, shown_as).read(path, shown_as)


def kernel_names(path: Path, shown_as: str) -> tuple[str, ...]:
    """What a notebook file calls its kernels, the main one first.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: unknown ending, or not a notebook.
    """
    return _reader(path, shown_as).kernel_names(path, shown_as)


def interpreter_kernel(label: str) -> str:
    """The kernel for what a notebook calls it: itself, but for names of another system."""
    return label


def _reader(path: Path, shown_as: str) -> NotebookReader:
    if path.suffix not in READERS:
        known = ", ".join(f"`{ending}`" for ending in READERS)
        said = f"not a notebook: its name ends in `{path.suffix}`"
        raise BadNotebook(said, origin=shown_as, hint=f"known endings: {known}; run other code as `file` or `code`")
    reader: NotebookReader = load_from(READERS, path.suffix)()
    return reader


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

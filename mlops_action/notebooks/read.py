"""A step's notebook, whatever it is written in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_action.errors import BadNotebook
from mlops_action.notebooks import READERS
from mlops_action.notebooks.files import source_of
from mlops_action.notebooks.interface import NotebookReader, Outline
from mlops_action.notebooks.interpreters import KERNEL_OF
from mlops_action.records import KernelChoice
from mlops_action.registry import load_from

SNIPPET_CELL = "snippet"
NOTE_ENDINGS = frozenset({".json", ".zpln"})
"""Endings of Zeppelin's notes, whose names of kernels are interpreters."""


def read_notebook(path: Path, shown_as: str) -> Any:
    """Read a notebook file by its ending.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: unknown ending, or not a valid notebook.
        ToolMissing: an optional package that reads this format is not installed.
    """
    return _reader(path, shown_as).read(path, shown_as)


def outline(path: Path, shown_as: str) -> Outline:
    """A notebook file as plain data; ``.ipynb`` without a heavy import.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: unknown ending, or not a notebook.
        ToolMissing: an optional package that reads this format is not installed.
    """
    return _reader(path, shown_as).outline(path, shown_as)


def kernel_names(path: Path, shown_as: str) -> tuple[str, ...]:
    """What a notebook file calls its kernels, the main one first.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: unknown ending, or not a notebook.
        ToolMissing: an optional package that reads this format is not installed.
    """
    return _reader(path, shown_as).kernel_names(path, shown_as)


def interpreter_kernel(label: str, notebook: str = "") -> str:
    """The kernel for what ``notebook`` calls it: itself, but for the interpreters of Zeppelin's notes."""
    return KERNEL_OF.get(label, label) if names_interpreters(notebook) else label


def names_interpreters(notebook: str) -> bool:
    """Whether what a notebook calls its kernels are Zeppelin's interpreters."""
    return Path(notebook).suffix in NOTE_ENDINGS


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


def code_file_notebook(path: Path, shown_as: str, kernel: KernelChoice) -> Any:
    """A notebook of one cell that holds a code file; its language is the kernel's, whatever its ending says.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: not UTF-8 text.
    """
    notebook = snippet_notebook(source_of(path, shown_as), kernel)
    notebook.cells[0].metadata["name"] = shown_as
    return notebook


def use_kernel(notebook: Any, kernel: KernelChoice) -> Any:
    """Name ``kernel`` in the notebook's metadata, so that the executed file says what ran it."""
    notebook.metadata["kernelspec"] = {
        "name": kernel.name,
        "display_name": kernel.display_name or kernel.name,
        "language": kernel.language,
    }
    return notebook

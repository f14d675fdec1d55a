"""The contract of a notebook format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from mlops_action.frozen import frozen

Cell = dict[str, Any]
"""A cell as plain data: ``cell_type``, ``source`` (one text), ``metadata``, ``id``; code also its ``outputs``."""


@frozen
class Outline:
    """A notebook as plain data, as much of it as is needed to talk about its cells and parameters."""

    kernels: tuple[str, ...]
    """As ``NotebookReader.kernel_names`` gives them."""
    language: str
    """Language of the first kernel as far as the notebook tells it, else empty."""
    cells: tuple[Cell, ...]


class NotebookReader(Protocol):
    """Reads notebooks of one format; the file itself is never touched.

    Laws, tested for every format: each cell has an id of its own, the same in every run; a
    file that is not of the format is a ``BadNotebook`` with a reason, never another error;
    ``outline`` and ``read`` give the same cells.
    """

    def kernel_names(self, path: Path, shown_as: str) -> tuple[str, ...]:
        """What the notebook calls its kernels, without the cost of reading it whole.

        The first is for cells that name none; it is empty when the notebook names none.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not of this format.
        """

    def outline(self, path: Path, shown_as: str) -> Outline:
        """The notebook's cells as plain data; ``.ipynb`` and Zeppelin's need no heavy import for it.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not of this format.
            ToolMissing: an optional package that reads this format is not installed.
        """

    def read(self, path: Path, shown_as: str) -> Any:
        """The notebook as an nbformat 4 notebook.

        A cell for another kernel than the first has its name in
        ``metadata["mlops-action"]["kernel"]``.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not of this format, or not valid.
            ToolMissing: an optional package that reads this format is not installed.
        """

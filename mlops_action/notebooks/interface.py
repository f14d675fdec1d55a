"""The contract of a notebook format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class NotebookReader(Protocol):
    """Reads notebooks of one format; the file itself is never touched.

    Laws, tested for every format: each cell has an id of its own, the same in every run; a
    file that is not of the format is a ``BadNotebook`` with a reason, never another error.
    """

    def kernel_names(self, path: Path, shown_as: str) -> tuple[str, ...]:
        """What the notebook calls its kernels, without the cost of reading it whole.

        The first is for cells that name none; it is empty when the notebook names none.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not of this format.
        """

    def read(self, path: Path, shown_as: str) -> Any:
        """The notebook as an nbformat 4 notebook.

        A cell for another kernel than the first has its name in
        ``metadata["mlops-action"]["kernel"]``.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not of this format, or not valid.
        """

"""Slices of rows: every combination of slice values is a cell, and every slice is a set of cells.

Sums are kept by cell and added up to slices at the end, so that a row is looked at once however many slices it is in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.errors import ColumnMissing, PredictionsUnreadable
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.files import batches
from mlops_action.metrics.predictions.roles import Roles

MOST_CELLS = 1 << 20
Cells = npt.NDArray[np.int64]


class Slicer:
    """Numbers the cells in the order in which they turn up."""

    def __init__(self, roles: Roles) -> None:
        """Take the slice columns from the roles."""
        self._slices = roles.slices
        self._columns = roles.slice_columns
        self._known: dict[tuple[str, ...], int] = {}
        self._texts: list[list[str]] = []
        self._table: Cells = np.zeros(0, np.int64)
        """The cell of each combination of the last batch's values; -1 where it had none."""

    @property
    def cells(self) -> int:
        """How many cells there are so far; without slice columns there is one."""
        return max(1, len(self._known))

    def cells_of(self, batch: Batch) -> Cells | None:
        """The cell of each row, shape (rows,); None when there is one cell only.

        Raises:
            PredictionsUnreadable: a slice column has a hole, or far too many values to be slices.
        """
        if not self._columns:
            return None
        combined, texts = self._combined(batch)
        if texts == self._texts:  # as in most batches after the first: only a new combination is worth a look
            found = self._table.take(combined)
            if found.min() >= 0:
                return found
        size = int(np.prod([len(each) for each in texts]))
        present = np.flatnonzero(np.bincount(combined, minlength=size))
        table = np.full(size, -1, np.int64)
        for code, places in zip(present, np.stack(np.unravel_index(present, [len(t) for t in texts]), 1), strict=True):
            value = tuple(text[place] for text, place in zip(texts, places, strict=True))
            table[code] = self._known.setdefault(value, len(self._known))
        self._limit(len(self._known), batch)
        self._texts, self._table = texts, table
        return table.take(combined)

    def families(self) -> list[tuple[list[str], npt.NDArray[Any]]]:
        """The slices, by families that do not overlap: all rows, then the values of each column or intersection.

        Each is the names of its slices and, for each cell, the number of its slice, shape (cells,).
        """
        found: list[tuple[list[str], npt.NDArray[Any]]] = [([""], np.zeros(self.cells, np.int64))]
        for each in self._slices:
            columns = (each,) if isinstance(each, str) else each
            places = [self._columns.index(column) for column in columns]
            values = sorted({tuple(cell[place] for place in places) for cell in self._known})
            number = {value: index for index, value in enumerate(values)}
            names = [" & ".join(f"{c}={v}" for c, v in zip(columns, value, strict=True)) for value in values]
            member = [number[tuple(cell[place] for place in places)] for cell in self._known]
            found.append((names, np.array(member, np.int64)))
        return found

    def _combined(self, batch: Batch) -> tuple[Cells, list[list[str]]]:
        combined: Cells | None = None
        texts = []
        size = 1
        for column in self._columns:
            codes, names = batch.coded(column)
            texts.append(names)
            size *= len(names)
            self._limit(size, batch)
            combined = codes.astype(np.int64) if combined is None else combined * len(names) + codes
        assert combined is not None  # noqa: S101 - there is a slice column
        return combined, texts

    def _limit(self, size: int, batch: Batch) -> None:
        if size > MOST_CELLS:
            raise PredictionsUnreadable(
                f"the slice columns have more than {MOST_CELLS} combinations of values",
                origin=batch.origin,
                hint="slice by columns with few values, such as a country or an age group",
            )


def slice_rows(path: Path, roles: Roles) -> dict[str, int] | None:
    """Rows of each slice of a file, or None where a slice column is not in it.

    Raises:
        PredictionsUnreadable: the file cannot be read otherwise.
    """
    slicer, counts, first = Slicer(roles), Sums(1, np.int64), 1
    try:
        for data in batches(path, roles.slice_columns, roles.slice_columns):
            cells = slicer.cells_of(Batch(data, str(path), first))
            first += data.num_rows
            if cells is not None:
                counts.add(np.bincount(cells, minlength=slicer.cells)[:, None])
    except ColumnMissing:
        return None
    found: dict[str, int] = {}
    for names, member in slicer.families():
        found |= dict(zip(names, added_up(counts.values, member, len(names))[:, 0].tolist(), strict=True))
    return found


def added_up(by_cell: npt.NDArray[Any], member: npt.NDArray[Any], slices: int) -> npt.NDArray[Any]:
    """Sums by cell, shape (cells, …), added up to slices, shape (slices, …)."""
    total = np.zeros((slices, *by_cell.shape[1:]), by_cell.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # a metric of what is too large is undefined, and says so
        np.add.at(total, member, by_cell)
    return total


class Sums:
    """Sums by cell that grow with the number of cells: shape (cells, width)."""

    def __init__(self, width: int, dtype: type = np.float64) -> None:
        """Begin with no cells."""
        self.values: npt.NDArray[Any] = np.zeros((0, width), dtype)

    def add(self, more: npt.NDArray[Any]) -> None:
        """Add the sums of one batch, shape (cells so far, width)."""
        if more.shape[0] > self.values.shape[0]:
            missing = more.shape[0] - self.values.shape[0]
            self.values = np.concatenate([self.values, np.zeros((missing, self.values.shape[1]), self.values.dtype)])
        self.values[: more.shape[0]] += more

"""Columns of a batch as numpy arrays, without holes; what cannot be judged is refused with its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_action.errors import PredictionsUnreadable
from mlops_action.statistics.clusters import Floats

_NATIVE = {
    pa.float64(): np.float64,
    pa.float32(): np.float32,
    pa.int64(): np.int64,
    pa.int32(): np.int32,
    pa.int16(): np.int16,
    pa.int8(): np.int8,
    pa.uint8(): np.uint8,
    pa.uint16(): np.uint16,
    pa.uint32(): np.uint32,
    pa.uint64(): np.uint64,
}


@dataclass
class Batch:
    """One batch, and where it begins in the file (rows count from 1)."""

    data: Any
    origin: str
    first: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.data.num_rows)

    def finite(self, column: str) -> Floats:
        """A column of finite numbers, shape (rows,)."""
        values = self.numbers(column).astype(np.float64, copy=False)
        # A sum is finite only if all its terms are; only then is it worth looking for the row.
        with np.errstate(over="ignore", invalid="ignore"):
            looks_finite = np.isfinite(values.sum())
        if not looks_finite and not (finite := np.isfinite(values)).all():
            row = int(np.argmin(finite))
            raise self._refusal(column, row, f"is {values[row]}, which is neither good nor bad")
        return values

    def numbers(self, column: str) -> npt.NDArray[Any]:
        """A column of numbers or truth values as they are stored, shape (rows,)."""
        array = self._whole(column)
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.uint8())
        if array.type not in _NATIVE:
            array = self._as_float(column, array)
        dtype = np.dtype(_NATIVE[array.type])
        # Not to_numpy: it imports pandas where that is installed.
        return np.frombuffer(array.buffers()[1], dtype, count=len(array), offset=array.offset * dtype.itemsize)

    def coded(self, column: str) -> tuple[npt.NDArray[Any], list[str]]:
        """A column of few different values: codes (rows,) and the text of each code."""
        array = self._whole(column)
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        indices = array.indices
        dtype = np.dtype(_NATIVE[indices.type])
        codes = np.frombuffer(indices.buffers()[1], dtype, count=len(indices), offset=indices.offset * dtype.itemsize)
        return codes, [_text(value) for value in array.dictionary.to_pylist()]

    def raw(self, column: str) -> Any:
        """The Arrow array of a column without holes."""
        return self._whole(column)

    def _whole(self, column: str) -> Any:
        array = self.data.column(column)
        if array.null_count:
            row = array.is_null().index(True).as_py()
            raise self._refusal(column, row, "is empty")
        return array

    def _as_float(self, column: str, array: Any) -> Any:
        try:
            return array.cast(pa.float64())
        except pa.ArrowException as error:
            kind = f"`{column}` must hold numbers, and holds {array.type}"
            raise PredictionsUnreadable(f"{kind}: {str(error).splitlines()[0]}", origin=self.origin) from error

    def _refusal(self, column: str, row: int, what: str) -> PredictionsUnreadable:
        return PredictionsUnreadable(
            f"`{column}` {what} in row {self.first + row}",
            origin=self.origin,
            hint="a metric over the other rows would be of other data; write every row, or leave such rows out before",
        )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Rows that are held: for weights, clusters and whatever sums by cell cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_action.errors import PredictionsUnreadable
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer
from mlops_action.statistics.clusters import Codes, Floats

MOST_WEIGHT = 1e100
"""The square of a sum of larger weights is no number, and that of the least ones is 0."""
Columns = dict[str, npt.NDArray[Any]]


class Held:
    """Columns of all batches, with weights, clusters and slices."""

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        self._roles = roles
        self._slicer = slicer
        self._parts: dict[str, list[npt.NDArray[Any]]] = {}
        self._clusters: list[Any] = []
        self._whole: Columns = {}
        self._numbered: Codes | None = None

    def add(self, batch: Batch, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep a batch's rows.

        Raises:
            PredictionsUnreadable: a weight is negative, absurdly large or small, or a weight or cluster is missing.
        """
        cells = self._slicer.cells_of(batch)
        weights = self._weights_of(batch)
        if self._roles.cluster:
            self._clusters.append(batch.raw(self._roles.cluster))
        rows = {**columns, "": weights, "/": np.zeros(batch.rows, np.int64) if cells is None else cells}
        for name, values in rows.items():
            self._parts.setdefault(name, []).append(np.array(values))

    def _weights_of(self, batch: Batch) -> Floats:
        column = self._roles.weight
        if not column:
            return np.ones(batch.rows)
        weights = batch.finite(column)
        if weights.min() < 0:
            row = batch.first + int(np.argmin(weights))
            raise PredictionsUnreadable(
                f"`{column}` is negative in row {row}", origin=batch.origin, hint="a weight is 0 or more"
            )
        absurd = (weights > MOST_WEIGHT) | ((weights > 0) & (weights < 1 / MOST_WEIGHT))
        if absurd.any():
            row = int(np.argmax(absurd))
            raise PredictionsUnreadable(
                f"`{column}` is {weights[row]:g} in row {batch.first + row}: it cannot be reckoned with",
                origin=batch.origin,
                hint="only the ratio of weights matters; write them near 1",
            )
        return weights

    def slices(self) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        """Each slice's name, all rows first, and which rows are in it."""
        self._join()
        for names, member in self._slicer.families():
            place = member.take(self._whole["/"])
            for number, name in enumerate(names):
                yield name, place == number

    def rows(self, chosen: npt.NDArray[np.bool_]) -> tuple[Columns, Floats, Codes | None]:
        """Columns, weights and clusters of some rows."""
        self._join()
        data = {name: values[chosen] if values.size else values for name, values in self._whole.items()}
        return data, data.pop(""), None if self._numbered is None else self._numbered[chosen]

    def _join(self) -> None:
        if self._parts:
            self._whole = {name: np.concatenate(parts) for name, parts in self._parts.items()}
            self._parts = {}
        if self._clusters:
            ids = pa.concat_arrays([_plain(each) for each in self._clusters]).dictionary_encode().indices
            self._numbered = np.frombuffer(ids.buffers()[1], np.int32, count=len(ids)).astype(np.int64)
            self._clusters = []


def _plain(array: Any) -> Any:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array

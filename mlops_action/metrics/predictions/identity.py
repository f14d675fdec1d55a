"""Row ids: each must be there once, or rows would count twice and could not be paired."""

from __future__ import annotations

from typing import Any

from mlops_action.errors import PredictionsUnreadable
from mlops_action.metrics.predictions.columns import Batch


class Identities:
    """Gathers the ids of all batches."""

    def __init__(self) -> None:
        """Begin with none."""
        self._chunks: list[Any] = []

    def add(self, batch: Batch, column: str) -> None:
        """Keep the ids of a batch; none may be empty."""
        self._chunks.append(batch.raw(column))

    def check(self, column: str, origin: str) -> None:
        """Refuse ids that are there twice.

        Raises:
            PredictionsUnreadable: with an example.
        """
        import pyarrow as pa
        import pyarrow.compute as pc  # a tenth of a second, and only files with ids need it

        ids = pa.chunked_array(self._chunks)
        if pc.count_distinct(ids).as_py() == len(ids):
            return
        counts = pc.value_counts(ids)
        twice = counts.filter(pc.greater(counts.field("counts"), 1))
        example = twice[0].as_py()
        raise PredictionsUnreadable(
            f"{len(twice)} values of `{column}` are there more than once: `{example['values']}` is in "
            f"{example['counts']} rows",
            origin=origin,
            hint="an id names one row; write each row once, or name another column",
        )

"""Which rows are of the positive class."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.errors import PredictionsUnreadable
from mlops_action.metrics.predictions.columns import Batch

Truth = npt.NDArray[np.bool_]


class BinaryLabels:
    """Knows the positive label, and learns the one other label from the rows."""

    def __init__(self, positive: Any) -> None:
        """Take the positive label; text is compared as text, numbers and truth values as numbers."""
        self._positive = positive
        self._negative: Any = None

    def positive(self, batch: Batch, column: str) -> Truth:
        """Which rows are of the positive class; all others must be of one class."""
        wanted = self._positive
        if isinstance(wanted, str):
            codes, texts = batch.coded(column)
            others = [text for text in texts if text != wanted]
            self._same_negative(batch, column, others)
            return np.array([text == wanted for text in texts], bool).take(codes)
        values = batch.numbers(column)
        positive: Truth = np.equal(values, wanted)
        if self._negative is None and not positive.all():
            self._negative = values[~positive][0]
        expected = positive | np.equal(values, self._negative) if self._negative is not None else positive
        if not expected.all():
            self._refuse(batch, column, values[int(np.argmin(expected))])
        return positive

    def _same_negative(self, batch: Batch, column: str, others: list[str]) -> None:
        for other in others:
            if self._negative is None:
                self._negative = other
            if other != self._negative:
                self._refuse(batch, column, other)

    def _refuse(self, batch: Batch, column: str, value: object) -> None:
        raise PredictionsUnreadable(
            f"`{column}` holds `{value}`, which is neither `{self._positive}` nor `{self._negative}`",
            origin=batch.origin,
            hint="name the label of the positive class; for more than two classes the task is `multiclass`",
        )

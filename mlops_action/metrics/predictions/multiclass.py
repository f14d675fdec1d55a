"""Multiclass classification: one pass, a confusion table and loss sums by cell."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.errors import PredictionsUnreadable
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known, share_of
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer, Sums, added_up
from mlops_action.statistics.clusters import Floats
from mlops_action.statistics.means import mean_of_sums
from mlops_action.statistics.resampling import bootstrap_of, cells_at

EPSILON = float(np.finfo(np.float64).eps)
TOP = (1, 3, 5)
RESAMPLES = 2000
MOST_CLASSES = 200
Classes = npt.NDArray[np.int64]


class Classifier:
    """Numbers the classes, and reads truth, prediction and scores of a batch.

    The classes are those of ``scores`` in their order; without scores they are those of the rows, up to 200.
    """

    def __init__(self, roles: Roles) -> None:
        """Take the classes that the roles name."""
        self._roles = roles
        self._classes = {name: place for place, (name, _) in enumerate(roles.scores)}
        self._fixed = bool(roles.scores)

    @property
    def count(self) -> int:
        """How many classes there are so far."""
        return len(self._classes)

    def read(self, batch: Batch) -> tuple[Classes, Classes, Floats | None]:
        """Number of the true and of the predicted class of each row, and the scores (rows, classes) if there are any.

        Raises:
            PredictionsUnreadable: a hole, an unknown class, or scores that are no probabilities.
        """
        truth = self._numbered(batch, self._roles.label)
        scores = self._scores(batch) if self._fixed else None
        if self._roles.prediction:
            return truth, self._numbered(batch, self._roles.prediction), scores
        assert scores is not None  # noqa: S101 - ``measure`` has seen to it
        return truth, scores.argmax(axis=1), scores

    def _numbered(self, batch: Batch, column: str) -> Classes:
        codes, texts = batch.coded(column)
        for text in texts:
            if text in self._classes:
                continue
            if self._fixed or len(self._classes) >= MOST_CLASSES:
                limit = "no column of scores" if self._fixed else f"more than {MOST_CLASSES} classes"
                raise PredictionsUnreadable(f"`{column}` holds `{text}`: {limit}", origin=batch.origin)
            self._classes[text] = len(self._classes)
        return np.array([self._classes[text] for text in texts], np.int64).take(codes)

    def _scores(self, batch: Batch) -> Floats:
        scores = np.stack([batch.finite(column) for _, column in self._roles.scores], axis=1)
        total = scores.sum(axis=1)
        bad = (scores.min(axis=1) < 0) | (np.abs(total - 1) > 1e-4)
        if bad.any():
            row = int(np.argmax(bad))
            raise PredictionsUnreadable(
                f"the probabilities in row {batch.first + row} add up to {total[row]:.6g} or one is negative",
                origin=batch.origin,
                hint="the columns of scores must hold the probability of each class",
            )
        return scores


class Multiclass:
    """Takes batches; gives the metrics of all slices."""

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        self._slicer = slicer
        self._classes = Classifier(roles)
        self._fixed = bool(roles.scores)
        self._tables: dict[tuple[int, int], npt.NDArray[np.int64]] = {}
        self._losses = Sums(5 + len(TOP))

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""
        cells, count = self._slicer.cells_of(batch), self._slicer.cells
        place = np.zeros(batch.rows, np.int64) if cells is None else cells
        truth, predicted, scores = self._classes.read(batch)
        for pair, rows in _pairs(truth, predicted):
            sums = np.bincount(place[rows], minlength=count)
            before = self._tables.get(pair, np.zeros(0, np.int64))
            sums[: before.size] += before
            self._tables[pair] = sums
        if scores is not None:
            columns = losses_of(truth, scores)
            self._losses.add(np.stack([np.bincount(place, weights=each, minlength=count) for each in columns], axis=1))

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        found = []
        table = self._table()
        for names, member in self._slicer.families():
            tables = added_up(table, member, len(names))
            losses = added_up(self._losses.values, member, len(names)) if self._fixed else None
            for place, name in enumerate(names):
                metrics = table_metrics(tables[place], name, level)
                if losses is not None:
                    metrics |= _loss_metrics(int(tables[place].sum()), losses[place], level)
                found.append(SliceMetrics(name, int(tables[place].sum()), metrics))
        return found

    def _table(self) -> npt.NDArray[np.int64]:
        size = self._classes.count
        table = np.zeros((self._slicer.cells, size, size), np.int64)
        for (truth, predicted), sums in self._tables.items():
            table[: sums.size, truth, predicted] = sums
        return table


def table_metrics(table: npt.NDArray[Any], name: str, level: float) -> dict[str, Estimate]:
    """Metrics of a confusion table (truth, predicted), with scikit-learn's definitions.

    Balanced accuracy is over the classes that are there; macro precision, recall and F1 are over the classes that are
    there or predicted, and undefined if one of them has no denominator.
    """
    rows, right = float(table.sum()), float(np.trace(table))
    found = {"accuracy": share_of(right, rows, "rows", level)}
    size = table.shape[0]
    flat = table.reshape(-1)
    rarest = float(np.min(table.sum(axis=1) + table.sum(axis=0), initial=rows))
    for statistic in STATISTICS:
        value = float(of_table(statistic, size)(flat))
        if math.isnan(value):
            found[statistic] = Estimate(None, 0, "rows of a class, true or predicted")
            continue
        at = cells_at(flat, of_table(statistic, size), bootstrap_of(statistic, name, resamples=RESAMPLES))
        found[statistic] = Estimate(value, rarest, "rows of the rarest class, true or predicted", at, level)
    return found


def of_table(statistic: str, size: int) -> Callable[[Any], Any]:
    """One of ``STATISTICS`` as a function of counts (…, size²)."""

    def judged(cells: Any) -> Any:
        table = np.asarray(cells, np.float64).reshape(*cells.shape[:-1], size, size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return STATISTICS[statistic](np.diagonal(table, axis1=-2, axis2=-1), table.sum(axis=-1), table.sum(axis=-2))

    return judged


def of_margins(statistic: str, size: int) -> Callable[[Any], Any]:
    """One of ``STATISTICS`` as a function of counts (…, 3 · size): each class's right, true and predicted rows."""

    def judged(counts: Any) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            return STATISTICS[statistic](*np.split(counts, (size, 2 * size), axis=-1))

    return judged


def _present_mean(values: Any, present: Any) -> Any:
    """The mean over the classes that are there; NaN where one of them is undefined."""
    return np.where(present, values, 0.0).sum(axis=-1) / present.sum(axis=-1)


def _mcc(hits: Any, truth: Any, said: Any) -> Any:
    """Gorodkin's correlation of several classes (2004), which scikit-learn calls MCC."""
    rows, right = truth.sum(axis=-1), hits.sum(axis=-1)
    top = right * rows - (truth * said).sum(axis=-1)
    bottom = (rows**2 - (said**2).sum(axis=-1)) * (rows**2 - (truth**2).sum(axis=-1))
    return np.where(bottom > 0, top / np.sqrt(np.where(bottom > 0, bottom, 1)), np.nan)


STATISTICS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "balanced_accuracy": lambda hits, truth, said: _present_mean(hits / truth, truth > 0),  # noqa: ARG005
    "macro_precision": lambda hits, truth, said: _present_mean(hits / said, truth + said > 0),
    "macro_recall": lambda hits, truth, said: _present_mean(hits / truth, truth + said > 0),
    "macro_f1": lambda hits, truth, said: _present_mean(2 * hits / (truth + said), truth + said > 0),
    "mcc": _mcc,
}
"""Functions of right, true and predicted rows of each class, (…, classes) to (…,)."""


def _pairs(truth: Classes, predicted: Classes) -> list[tuple[tuple[int, int], npt.NDArray[np.int64]]]:
    """The rows of each pair of true and predicted class that occurs."""
    size = int(max(truth.max(), predicted.max())) + 1
    code = truth * size + predicted
    order = np.argsort(code, kind="stable")
    values, starts = np.unique(code[order], return_index=True)
    groups = np.split(order, starts[1:])
    return [((int(value) // size, int(value) % size), rows) for value, rows in zip(values, groups, strict=True)]


def losses_of(truth: Classes, scores: Floats) -> list[Floats]:
    """Log-loss with its square and cube, Brier score (the sum over classes) with its square, and hits in the top k.

    A row is in the top k when fewer than k other classes have a score at least as high: ties count against the model.
    """
    right = scores[np.arange(truth.size), truth]
    loss = -np.log(np.clip(right, EPSILON, 1 - EPSILON))
    brier = (scores**2).sum(axis=1) - 2 * right + 1
    place = (scores >= right[:, None]).sum(axis=1)
    return [loss, loss**2, loss**3, brier, brier**2, *((place <= k).astype(np.float64) for k in TOP)]


def _loss_metrics(rows: int, sums: npt.NDArray[Any], level: float) -> dict[str, Estimate]:
    loss = mean_of_sums(rows, *(float(each) for each in sums[:3]))
    brier = mean_of_sums(rows, float(sums[3]), float(sums[4]))
    found = {
        "log_loss": known(loss.value, rows, "rows", loss.interval_for_skewed, level),
        "brier": known(brier.value, rows, "rows", brier.interval, level),
    }
    for place, k in enumerate(TOP):
        hits = float(sums[5 + place])
        found[f"top_{k}_accuracy"] = share_of(hits, rows, "rows", level)
    return found

"""Multilabel classification: each label as binary classification, and the labels of a row together."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.metrics.predictions.binary import Binary
from mlops_action.metrics.predictions.binary_labels import BinaryLabels
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known, share_of
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer, Sums, added_up
from mlops_action.statistics.means import Mean, mean_of_sums, not_negative
from mlops_action.vocabulary import Task


class Multilabel:
    """Takes batches; gives the metrics of all slices: ``LABEL/f1`` and so on for each label, and those of all labels.

    Labels of one row are not independent: intervals of what is over all labels come from sums by row.
    """

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        self._slicer = slicer
        self._threshold = roles.threshold
        self._positive = roles.positive
        scores = dict(roles.scores)
        self._roles = {
            name: replace(
                roles, task=Task.BINARY, label=column, score=scores[name], prediction="", scores=(), labels=()
            )
            for name, column in roles.labels
        }
        self._engines = {name: Binary(each, slicer) for name, each in self._roles.items()}
        self._truths = {name: BinaryLabels(roles.positive) for name in self._roles}
        self._rows = Sums(7)

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""
        hits, errors = np.zeros(batch.rows), np.zeros(batch.rows)
        for name, roles in self._roles.items():
            self._engines[name].add(batch)
            truth = self._truths[name].positive(batch, roles.label)
            said = batch.finite(roles.score) >= self._threshold
            hits += truth & said
            errors += truth != said
        cells, count = self._slicer.cells_of(batch), self._slicer.cells
        place = np.zeros(batch.rows, np.int64) if cells is None else cells
        columns = (np.ones(batch.rows), errors == 0, hits, errors, hits * hits, errors * errors, hits * errors)
        self._rows.add(np.stack([np.bincount(place, weights=each, minlength=count) for each in columns], axis=1))

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        by_label = {name: engine.slices(level) for name, engine in self._engines.items()}
        sums: list[npt.NDArray[Any]] = []
        for names, member in self._slicer.families():
            sums.extend(added_up(self._rows.values, member, len(names)))
        found = []
        for place, total in enumerate(sums):
            labels = {name: slices[place] for name, slices in by_label.items()}
            metrics = {f"{name}/{metric}": e for name, each in labels.items() for metric, e in each.metrics.items()}
            metrics |= _together(total, len(labels), level)
            metrics["macro_f1"] = _macro([each.metrics["f1"] for each in labels.values()])
            first = next(iter(labels.values()))
            found.append(SliceMetrics(first.name, first.rows, metrics))
        return found


def _together(sums: npt.NDArray[Any], labels: int, level: float) -> dict[str, Estimate]:
    rows, exact, hits, errors, hits_squared, errors_squared, product = (float(each) for each in sums)
    loss = mean_of_sums(int(rows), errors / labels, errors_squared / labels**2)
    return {
        "subset_accuracy": share_of(exact, rows, "rows", level),
        "hamming_loss": known(loss.value, rows, "rows", loss.interval_within(0, 1), level),
        "micro_f1": _micro(rows, (hits, errors), (hits_squared, errors_squared, product), level),
    }


def _micro(rows: float, sums: tuple[float, float], squares: tuple[float, float, float], level: float) -> Estimate:
    """2 TP / (2 TP + errors) with the sandwich variance over rows."""
    hits, errors = sums
    below = 2 * hits + errors
    if not below:
        return Estimate(None, 0, "positives or predicted positives")
    other = 2 * hits / below
    own = 2 * (1 - other)
    variance = (own * own * squares[0] - 2 * own * other * squares[2] + other * other * squares[1]) / below**2
    mean = Mean(other, not_negative(variance) * rows / (rows - 1) if rows > 1 else math.nan, rows - 1, rows)
    return known(other, below / 2, "hits and half of the errors", mean.interval_within(0, 1), level)


def _macro(labels: list[Estimate]) -> Estimate:
    """The mean over labels, undefined where one of them is; it has no interval."""
    values = [each.value for each in labels if each.value is not None]
    if len(values) < len(labels):
        return Estimate(None, len(values), f"defined labels of {len(labels)}")
    return known(sum(values) / len(values), len(values), "labels")

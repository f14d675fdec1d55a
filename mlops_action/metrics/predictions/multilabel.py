"""Multilabel classification: each label as binary classification, and the labels of a row together."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.metrics.predictions.binary import Binary
from mlops_action.metrics.predictions.binary_labels import BinaryLabels
from mlops_action.metrics.predictions.binary_metrics import Outcomes
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known, share_of
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Cells, Slicer, Sums, added_up
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
        self._roles = label_roles(roles)
        self._engines = {name: Binary(each, slicer) for name, each in self._roles.items()}
        self._truths = {name: BinaryLabels(roles.positive) for name in self._roles}
        self._rows = Sums(7)
        self._bits: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], Cells]] = []
        """Truth and prediction of all labels, 8 to a byte, and the cell of each row."""

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""
        truths, said = [], []
        for name, roles in self._roles.items():
            self._engines[name].add(batch)
            truths.append(self._truths[name].positive(batch, roles.label))
            said.append(batch.finite(roles.score) >= self._threshold)
        truth, predicted = np.stack(truths, axis=1), np.stack(said, axis=1)
        hits, errors = ((each.sum(axis=1)).astype(np.float64) for each in (truth & predicted, truth != predicted))
        cells, count = self._slicer.cells_of(batch), self._slicer.cells
        place = np.zeros(batch.rows, np.int64) if cells is None else cells
        columns = (np.ones(batch.rows), errors == 0, hits, errors, hits * hits, errors * errors, hits * errors)
        self._rows.add(np.stack([np.bincount(place, weights=each, minlength=count) for each in columns], axis=1))
        self._bits.append((np.packbits(truth, axis=1), np.packbits(predicted, axis=1), place))

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        by_label = {name: engine.slices(level) for name, engine in self._engines.items()}
        found: list[SliceMetrics] = []
        for names, member in self._slicer.families():
            sums, moments = added_up(self._rows.values, member, len(names)), self._moments(member, len(names))
            for total, moment in zip(sums, moments, strict=True):
                labels = {name: slices[len(found)] for name, slices in by_label.items()}
                metrics = {f"{name}/{metric}": e for name, each in labels.items() for metric, e in each.metrics.items()}
                metrics |= _together(total, len(labels), level)
                metrics["macro_f1"] = _macro(list(labels.values()), moment, level)
                first = next(iter(labels.values()))
                found.append(SliceMetrics(first.name, first.rows, metrics))
        return found

    def _moments(self, member: npt.NDArray[Any], slices: int) -> npt.NDArray[np.float64]:
        """Σ x xᵀ of each slice's rows; x is 2 · hit, then truth + predicted, of each label: their sums make F1."""
        labels = len(self._roles)
        total = np.zeros((slices, 2 * labels, 2 * labels))
        for bits, others, place in self._bits:
            truth, said = (np.unpackbits(each, axis=1, count=labels).astype(np.float32) for each in (bits, others))
            columns = np.concatenate((2 * truth * said, truth + said), axis=1)
            of = member.take(place)
            for each in np.unique(of):
                rows = columns[of == each]
                total[each] += rows.T @ rows
        return total


def label_roles(roles: Roles) -> dict[str, Roles]:
    """The roles of each label as a binary task of its own."""
    scores = dict(roles.scores)
    return {
        name: replace(roles, task=Task.BINARY, label=column, score=scores[name], prediction="", scores=(), labels=())
        for name, column in roles.labels
    }


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


def _macro(labels: list[SliceMetrics], moments: npt.NDArray[np.float64], level: float) -> Estimate:
    """The mean of the labels' F1, undefined where one of them is, with the variance of its linear approximation.

    Args:
        labels: each label's own metrics.
        moments: Σ x xᵀ over rows, shape (2 · labels, 2 · labels), of 2 · hit and then of truth + predicted.
        level: of the interval.
    """
    values = [value for each in labels if (value := each.metrics["f1"].value) is not None]
    if len(values) < len(labels):
        return Estimate(None, len(values), f"defined labels of {len(labels)}")
    outcomes = [Outcomes(**each.counts) for each in labels]
    below = len(labels) * np.array([2 * o.true_positives + o.false_positives + o.false_negatives for o in outcomes])
    moves = np.concatenate((1 / below, -np.array(values) / below))
    variance = not_negative(float(moves @ moments @ moves))
    rows, positives = labels[0].rows, min(o.true_positives + o.false_negatives for o in outcomes)
    mean = Mean(sum(values) / len(values), math.nan, 0, rows)
    if positives > 1:
        mean = replace(mean, variance=variance * rows / (rows - 1), freedom=positives - 1)
    return known(mean.value, len(values), "labels", mean.interval_within(0, 1), level)

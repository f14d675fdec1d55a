"""The difference of two models of a binary task, seen on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mlops_action.metrics.predictions import calibration
from mlops_action.metrics.predictions.binary import EPSILON
from mlops_action.metrics.predictions.binary_labels import BinaryLabels, Truth
from mlops_action.metrics.predictions.binary_metrics import RESAMPLES, f_beta_of, mcc_of
from mlops_action.metrics.predictions.binary_rows import OF_CLUSTERS
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.differences import (
    Shared,
    linear_difference,
    loss_difference,
    paired_mean,
    share_difference,
)
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.statistics import influence
from mlops_action.statistics.clusters import Floats
from mlops_action.statistics.delong import auc_difference, midranks, weighted_area
from mlops_action.statistics.quantity import Quantity
from mlops_action.statistics.resampling import bootstrap_of, cells_at


def _precision(cells: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return cells[..., 3] / (cells[..., 3] + cells[..., 1])


def _balanced(cells: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        negatives, positives = cells[..., 0] + cells[..., 1], cells[..., 2] + cells[..., 3]
        return (cells[..., 0] / negatives + cells[..., 3] / positives) / 2


OF_CELLS: dict[str, Callable[[Any], Any]] = {
    "precision": _precision,
    "balanced_accuracy": _balanced,
    "mcc": mcc_of,
    "f1": partial(f_beta_of, 1),
    "f0.5": partial(f_beta_of, 0.5),
    "f2": partial(f_beta_of, 2),
}
"""Statistics of the four outcomes that are no shares of the same rows for both models."""


class BinaryDifferences:
    """Differences of every metric that has a paired method, for any set of rows."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models; truth, weights and clusters are the candidate's."""
        labels = BinaryLabels(roles.positive)
        self._truth = labels.positive(candidate, roles.label)
        self._scores = [batch.finite(roles.score) if roles.score else None for batch in (candidate, baseline)]
        said = []
        for batch, scores in zip((candidate, baseline), self._scores, strict=True):
            if roles.prediction:
                said.append(labels.positive(batch, roles.prediction))
            else:
                assert scores is not None  # noqa: S101 - roles have a score or a prediction
                said.append(scores >= roles.threshold)
        self._said = said
        self._shared = Shared(candidate, roles)
        self._differences: dict[str, Floats] = {}

    def of(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """The difference of a metric on some rows, or None where no paired method is known.

        Args:
            metric: its name.
            name: of the slice, for the seed.
            rows: which rows, shape (rows,).
        """
        share = self._share(metric)
        if share is not None:
            ours, theirs, among = share
            return share_difference(ours, theirs, among & rows, self._shared)
        if metric in OF_CELLS:
            return self._of_cells(metric, name, rows)
        if self._scores[0] is None or self._scores[1] is None:
            return None
        if metric in {"log_loss", "brier"}:
            if metric not in self._differences:
                losses = [self._losses(metric, scores) for scores in self._scores if scores is not None]
                self._differences[metric] = losses[0] - losses[1]
            return loss_difference(self._differences[metric], rows, self._shared, (metric, name))
        return self._of_scores(metric, name, rows)

    def _share(self, metric: str) -> tuple[Truth, Truth, Truth] | None:
        y, everything = self._truth, np.ones(self._truth.size, bool)
        one, other = self._said
        shares = {
            "accuracy": (y == one, y == other, everything),
            "recall": (one, other, y),
            "false_negative_rate": (~one, ~other, y),
            "specificity": (~one, ~other, ~y),
            "false_positive_rate": (one, other, ~y),
            "selection_rate": (one, other, everything),
        }
        return shares.get(metric)

    def _of_cells(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        codes = (self._truth * 4 + self._said[0] * 2 + self._said[1])[rows]
        of = OF_CELLS[metric]

        def difference(cells: Any) -> Any:
            table = np.asarray(cells, np.float64).reshape(*cells.shape[:-1], 2, 2, 2)
            both = table.sum(axis=-1), table.sum(axis=-2)
            ours, theirs = (each.reshape(*cells.shape[:-1], 4) for each in both)
            return of(ours) - of(theirs)

        weights, clusters = self._shared.of(rows)
        if weights is not None:
            one, other = (
                influence.of_counts(of, 4, (self._truth[rows] * 2 + said[rows],), weights) for said in self._said
            )
            return linear_difference(one, other, clusters, most=2 if metric == "mcc" else 1)
        if clusters is None:
            counts, draws = np.bincount(codes, minlength=8), RESAMPLES
        else:
            groups = int(clusters.max()) + 1 if clusters.size else 0
            counts, draws = np.bincount(clusters * 8 + codes, minlength=8 * groups).reshape(-1, 8), OF_CLUSTERS
        estimate = float(difference(counts if clusters is None else counts.sum(axis=0)))
        how = bootstrap_of(metric, name, "difference", resamples=draws)
        return Quantity(estimate, cells_at(counts, difference, how), codes.size, paired=True)

    def _of_scores(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        if metric == "roc_auc" and self._shared.weights is None:
            return self._areas(rows)
        if metric in {"roc_auc", "average_precision"}:
            return self._weighted_areas(metric, rows)
        return self._calibration(metric, name, rows) if metric in {"ece", *calibration.LINE} else None

    def _areas(self, rows: Truth) -> Quantity | None:
        one, other = (scores[rows] for scores in self._scores if scores is not None)
        mean = auc_difference(self._truth[rows], one, other, self._shared.of(rows)[1])
        if not mean.variance and not np.array_equal(midranks(one), midranks(other)):
            return None  # both areas are 1 here, or 0: that says nothing of other rows
        return paired_mean(mean, mean.interval_within(-1, 1), one.size)

    def _weighted_areas(self, metric: str, rows: Truth) -> Quantity | None:
        if self._shared.weights is not None:
            rows = rows & (self._shared.weights > 0)
        truth, (weights, clusters) = self._truth[rows], self._shared.of(rows)
        both = [scores[rows] for scores in self._scores if scores is not None]
        if metric == "roc_auc" and weights is not None:
            one, other = (weighted_area(truth, each, weights, clusters) for each in both)
        else:
            one, other = (influence.average_precision(truth, each, weights) for each in both)
        return linear_difference(one, other, clusters, units=influence.units_among(truth, clusters))

    def _calibration(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """Of two models that give probabilities."""
        weights, clusters = self._shared.of(rows)
        truth = self._truth[rows].astype(np.float64)
        both = []
        for scores in self._scores:
            if scores is None or not rows.any() or scores[rows].min() < 0 or scores[rows].max() > 1:
                return None
            own = np.ones(truth.size) if weights is None else weights
            both.append(calibration.Claims(truth, scores[rows], own, clusters))
        if metric == "ece":
            how = bootstrap_of(metric, name, "difference", resamples=calibration.RESAMPLES)
            value, at = calibration.error_difference(both[0], both[1], how)
            return Quantity(value, at, int(truth.size), paired=True)
        one, other = (calibration.line_influences(each) for each in both)
        if one is None or other is None:
            return None
        place = calibration.LINE.index(metric)
        units = min(influence.units_among(side, clusters) for side in (self._truth[rows], ~self._truth[rows]))
        return linear_difference(one[place], other[place], clusters, units=units, most=np.inf)

    def _losses(self, metric: str, scores: Floats) -> Floats:
        if scores.size and (scores.min() < 0 or scores.max() > 1):
            return np.full(scores.size, np.nan)
        right = np.where(self._truth, scores, 1 - scores)
        return (1 - right) ** 2 if metric == "brier" else -np.log(np.clip(right, EPSILON, 1 - EPSILON))

"""The difference of two models of regression, multiclass or multilabel tasks, seen on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_action.metrics.predictions.binary_differences import BinaryDifferences
from mlops_action.metrics.predictions.binary_labels import BinaryLabels, Truth
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.differences import (
    Shared,
    linear_difference,
    loss_difference,
    paired_mean,
    share_difference,
)
from mlops_action.metrics.predictions.multiclass import STATISTICS, TOP, losses_of, of_margins
from mlops_action.metrics.predictions.multilabel import label_roles
from mlops_action.metrics.predictions.regression import row_losses
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.statistics import influence
from mlops_action.statistics.clusters import Codes, Floats
from mlops_action.statistics.influence import Influences
from mlops_action.statistics.means import Mean
from mlops_action.statistics.quantity import Quantity


class RegressionDifferences:
    """Differences of mean losses, and by linear approximation of RMSE, R² and explained variance."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models."""
        self._truth = candidate.finite(roles.label)
        predicted = [batch.finite(roles.prediction) for batch in (candidate, baseline)]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._errors = [each - self._truth for each in predicted]
            losses = [row_losses(self._truth, each, roles.threshold) for each in predicted]
            squares = [{"mse": error * error, "bias": error} for error in self._errors]
            self._losses = {
                name: (losses[0] | squares[0])[name] - (losses[1] | squares[1])[name] for name in losses[0] | squares[0]
            }
        self._shared = Shared(candidate, roles)

    def of(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """The difference of a metric on some rows, or None where no paired method is known."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if metric in self._losses:
                return loss_difference(self._losses[metric], rows, self._shared, (metric, name))
            if metric == "rmse":
                return self._roots(rows)
            if metric in {"r2", "explained_variance"}:
                return self._explained(rows, centred=metric != "r2")
        return None

    def _roots(self, rows: Truth) -> Quantity:
        """√ of the mean squares: a row moves it by (square - mean) / (2 · root)."""
        weights = self._shared.weights[rows] if self._shared.weights is not None else None
        influence, value = np.zeros(self._truth.size), 0.0
        for sign, error in zip((1, -1), self._errors, strict=True):
            square = error * error
            root = float(np.sqrt(np.average(square[rows], weights=weights)))
            value += sign * root
            influence += sign * (square - root * root) / (2 * root) if root else 0
        return self._linear(value, influence, rows)

    def _explained(self, rows: Truth, *, centred: bool) -> Quantity:
        """(lost by the baseline - lost by the candidate) / variance of the truth, and what a row moves it by."""
        weights = self._shared.weights[rows] if self._shared.weights is not None else None

        def average(values: Floats) -> float:
            return float(np.average(values[rows], weights=weights))

        spread = (self._truth - average(self._truth)) ** 2
        lost = [(error - (average(error) if centred else 0.0)) ** 2 for error in self._errors]
        gain = lost[1] - lost[0]
        variance = average(spread)
        value = average(gain) / variance if variance > 0 else float("nan")
        return self._linear(value, (gain - value * spread) / variance, rows)

    def _linear(self, value: float, influence: Floats, rows: Truth) -> Quantity:
        mean = self._shared.mean(influence, rows)
        found = Mean(value, mean.variance, mean.freedom, mean.rows)
        return paired_mean(found, found.interval, int(np.count_nonzero(rows)))


class MulticlassDifferences:
    """Differences of shares of right rows, of losses, and by linear approximation of what is over the classes."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models."""
        numbers = {name: place for place, (name, _) in enumerate(roles.scores)}
        truth = self._truth = _numbered(candidate, roles.label, numbers)
        self._said: list[Any] = []
        self._losses = []
        for batch in (candidate, baseline):
            scores = np.stack([batch.finite(column) for _, column in roles.scores], axis=1) if roles.scores else None
            if roles.prediction:
                self._said.append(_numbered(batch, roles.prediction, numbers))
            else:
                assert scores is not None  # noqa: S101 - ``measure`` has seen to it
                self._said.append(scores.argmax(axis=1))
            if scores is not None:
                loss, _, _, brier, _, *hits = losses_of(truth, scores)
                top = {f"top_{k}_accuracy": hit for k, hit in zip(TOP, hits, strict=True)}
                self._losses.append({"log_loss": loss, "brier": brier} | top)
        self._classes = len(numbers)
        self._shared = Shared(candidate, roles)

    def of(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """The difference of a metric on some rows, or None where no paired method is known."""
        if metric == "accuracy":
            one, other = (said == self._truth for said in self._said)
            return share_difference(one, other, rows, self._shared)
        if metric in STATISTICS:
            return self._over_classes(metric, rows)
        if not self._losses or metric not in self._losses[0]:
            return None
        one, other = (each[metric] for each in self._losses)
        if metric.startswith("top_"):
            return share_difference(one > 0, other > 0, rows, self._shared)
        return loss_difference(one - other, rows, self._shared, (metric, name))

    def _over_classes(self, metric: str, rows: Truth) -> Quantity | None:
        size, truth, (weights, clusters) = self._classes, self._truth[rows], self._shared.of(rows)
        of, found = of_margins(metric, size), []
        for said in (each[rows] for each in self._said):
            members = (np.where(said == truth, truth, -1), size + truth, 2 * size + said)
            found.append(influence.of_counts(of, 3 * size, members, weights))
        rarest = min((influence.units_among(truth == each, clusters) for each in np.unique(truth)), default=0.0)
        return linear_difference(found[0], found[1], clusters, units=rarest, most=2 if metric == "mcc" else 1)


class MultilabelDifferences:
    """Differences of each label's metrics, as of a binary task of its own, and of what is over all labels."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models."""
        own = label_roles(roles)
        self._labels = {name: BinaryDifferences(candidate, baseline, each) for name, each in own.items()}
        truths = [BinaryLabels(roles.positive).positive(candidate, each.label) for each in own.values()]
        self._truth = np.stack(truths, axis=1)
        self._said = [
            np.stack([batch.finite(each.score) >= roles.threshold for each in own.values()], axis=1)
            for batch in (candidate, baseline)
        ]
        self._shared = Shared(candidate, roles)

    def of(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """The difference of ``LABEL/metric`` or of a metric over all labels on some rows, or None."""
        label, _, own = metric.rpartition("/")
        if label in self._labels:
            return self._labels[label].of(own, f"{label} {name}", rows)
        wrong = [self._truth != said for said in self._said]
        if metric == "subset_accuracy":
            return share_difference(~wrong[0].any(axis=1), ~wrong[1].any(axis=1), rows, self._shared)
        if metric == "hamming_loss":
            losses = [each.mean(axis=1) for each in wrong]
            return loss_difference(losses[0] - losses[1], rows, self._shared, (metric, name))
        if metric not in {"micro_f1", "macro_f1"}:
            return None
        weights, clusters = self._shared.of(rows)
        one, other = (
            f1_over_labels(self._truth[rows], said[rows], weights, clusters, each_label=metric == "macro_f1")
            for said in self._said
        )
        return linear_difference(one, other, clusters)


def f1_over_labels(
    truth: Truth, said: Truth, weights: Floats | None = None, clusters: Codes | None = None, *, each_label: bool
) -> Influences:
    """Micro F1, or with ``each_label`` the mean of the labels' F1, and what each row moves it by.

    Args:
        truth: shape (rows, labels).
        said: shape (rows, labels).
        weights: shape (rows,).
        clusters: shape (rows,).
        each_label: whether labels count alike, or rows.
    """
    hits: Floats = np.multiply(truth & said, 2, dtype=np.float64)
    either: Floats = np.add(truth, said, dtype=np.float64)
    if not each_label:
        return influence.of_ratio(hits.sum(axis=1), either.sum(axis=1), weights)
    parts = [influence.of_ratio(hits[:, place], either[:, place], weights) for place in range(truth.shape[1])]
    units = min(influence.units_among(each, clusters) for each in truth.T)
    return Influences(
        float(np.mean([each.value for each in parts])), np.mean([each.rows for each in parts], axis=0), units
    )


def _numbered(batch: Batch, column: str, numbers: dict[str, int]) -> Any:
    """The class of each row; new ones are numbered on."""
    codes, texts = batch.coded(column)
    for text in texts:
        numbers.setdefault(text, len(numbers))
    return np.array([numbers[text] for text in texts], np.int64).take(codes)

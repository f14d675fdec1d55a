"""The difference of two models of regression, multiclass or multilabel tasks, seen on the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mlops_action.metrics.predictions.binary_labels import Truth
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.differences import BinaryDifferences, Shared, loss_difference, share_difference
from mlops_action.metrics.predictions.multiclass import TOP, losses_of
from mlops_action.metrics.predictions.regression import row_losses
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.statistics.clusters import Floats
from mlops_action.statistics.means import Mean
from mlops_action.statistics.power import detectable_mean
from mlops_action.statistics.quantity import Quantity
from mlops_action.vocabulary import Task


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
        return Quantity(
            value,
            found.interval,
            int(np.count_nonzero(rows)),
            paired=True,
            detectable=lambda alpha: detectable_mean(found.variance, alpha),
        )


class MulticlassDifferences:
    """Differences of shares of right rows, and of losses."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models."""
        numbers = {name: place for place, (name, _) in enumerate(roles.scores)}
        truth, texts = candidate.coded(roles.label)
        for text in texts:
            numbers.setdefault(text, len(numbers))
        truth = _renumbered(truth, texts, numbers)
        self._right, self._losses = [], []
        for batch in (candidate, baseline):
            scores = np.stack([batch.finite(column) for _, column in roles.scores], axis=1) if roles.scores else None
            if roles.prediction:
                codes, texts = batch.coded(roles.prediction)
                said = _renumbered(codes, texts, numbers | dict.fromkeys(set(texts) - set(numbers), -1))
            else:
                assert scores is not None  # noqa: S101 - ``measure`` has seen to it
                said = scores.argmax(axis=1)
            self._right.append(said == truth)
            if scores is not None:
                loss, _, _, brier, _, *hits = losses_of(truth, scores)
                top = {f"top_{k}_accuracy": hit for k, hit in zip(TOP, hits, strict=True)}
                self._losses.append({"log_loss": loss, "brier": brier} | top)
        self._shared = Shared(candidate, roles)

    def of(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """The difference of a metric on some rows, or None where no paired method is known."""
        if metric == "accuracy":
            return share_difference(self._right[0], self._right[1], rows, self._shared)
        if not self._losses or metric not in self._losses[0]:
            return None
        one, other = (each[metric] for each in self._losses)
        if metric.startswith("top_"):
            return share_difference(one > 0, other > 0, rows, self._shared)
        return loss_difference(one - other, rows, self._shared, (metric, name))


class MultilabelDifferences:
    """Differences of each label's metrics, as of a binary task of its own."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models."""
        scores = dict(roles.scores)
        self._labels = {
            name: BinaryDifferences(
                candidate,
                baseline,
                replace(roles, task=Task.BINARY, label=column, score=scores[name], prediction="", scores=(), labels=()),
            )
            for name, column in roles.labels
        }

    def of(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """The difference of ``LABEL/metric`` on some rows, or None where no paired method is known."""
        label, _, own = metric.rpartition("/")
        return self._labels[label].of(own, f"{label} {name}", rows) if label in self._labels else None


def _renumbered(codes: Any, texts: list[str], numbers: dict[str, int]) -> Any:
    return np.array([numbers[text] for text in texts], np.int64).take(codes)

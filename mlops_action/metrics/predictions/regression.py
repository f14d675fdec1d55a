"""Regression: one pass over the batches, moments of errors and truths by cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer, Sums, added_up
from mlops_action.statistics.clusters import Floats
from mlops_action.statistics.means import Mean, mean_of_sums, not_negative
from mlops_action.statistics.results import mapped

POWERS = [(e, y) for e in range(5) for y in range(5) if e + y <= 4]
"""Moments Σ error^e · truth^y that are kept: all that the variances of R² and of explained variance need."""
_AT = {power: place for place, power in enumerate(POWERS)}
_LOSSES = ("absolute", "percentage", "symmetric", "pinball")


class Regression:
    """Takes batches; gives the metrics of all slices. The roles' ``threshold`` is the quantile of the quantile loss."""

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        self._roles = roles
        self._slicer = slicer
        self._origin: float | None = None
        self._moments = Sums(len(POWERS))
        self._losses = Sums(1 + 2 * len(_LOSSES))

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch.

        Raises:
            PredictionsUnreadable: a hole, text, NaN or infinity.
        """
        cells = self._slicer.cells_of(batch)
        count = self._slicer.cells
        truth, predicted = batch.finite(self._roles.label), batch.finite(self._roles.prediction)
        if self._origin is None:
            self._origin = float(truth.mean())
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            error = predicted - truth
            shifted = truth - self._origin
            columns = [error**e * shifted**y for e, y in POWERS]
            self._moments.add(_by_cell(columns, cells, count))
            losses = [np.equal(truth, 0).astype(np.float64)]
            for loss in row_losses(truth, predicted, self._roles.threshold).values():
                losses += [loss, loss * loss]
            self._losses.add(_by_cell(losses, cells, count))

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        found = []
        for names, member in self._slicer.families():
            moments = added_up(self._moments.values, member, len(names))
            losses = added_up(self._losses.values, member, len(names))
            for place, name in enumerate(names):
                rows = int(moments[place, _AT[0, 0]])
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    metrics = _error_metrics(moments[place], level) | _loss_metrics(rows, losses[place], level)
                found.append(SliceMetrics(name, rows, metrics, {"rows": rows}))
        return found


def row_losses(truth: Floats, predicted: Floats, quantile: float) -> dict[str, Floats]:
    """Absolute, percentage, symmetric percentage and quantile loss of each row, by the name of its mean."""
    error = predicted - truth
    absolute = np.abs(error)
    size = np.abs(truth) + np.abs(predicted)
    return {
        "mae": absolute,
        "mape": absolute / np.abs(truth),
        "smape": np.where(size > 0, 2 * absolute / size, 0.0),
        "quantile_loss": np.maximum(-quantile * error, (1 - quantile) * error),
    }


def _by_cell(columns: list[Floats], cells: npt.NDArray[Any] | None, count: int) -> npt.NDArray[Any]:
    if cells is None:
        return np.array([[column.sum() for column in columns]])
    return np.stack([np.bincount(cells, weights=column, minlength=count) for column in columns], axis=1)


def _loss_metrics(rows: int, sums: npt.NDArray[Any], level: float) -> dict[str, Estimate]:
    means = {
        name: mean_of_sums(rows, float(sums[1 + 2 * place]), float(sums[2 + 2 * place]))
        for place, name in enumerate(_LOSSES)
    }
    zeros = int(sums[0])
    percentage = _mean(means["percentage"], rows, level) if not zeros else Estimate(None, 0, f"truth in {zeros} rows")
    return {
        "mae": _mean(means["absolute"], rows, level),
        "mape": percentage,
        "smape": _mean(means["symmetric"], rows, level),
        "quantile_loss": _mean(means["pinball"], rows, level),
    }


def _mean(mean: Mean, rows: int, level: float) -> Estimate:
    return known(mean.value, rows, "rows", mean.interval, level)


def _error_metrics(sums: npt.NDArray[Any], level: float) -> dict[str, Estimate]:
    """MSE, RMSE, bias, R² and explained variance from the moments."""
    rows = float(sums[0])
    squares = mean_of_sums(int(rows), float(sums[_AT[2, 0]]), float(sums[_AT[4, 0]]))
    bias = mean_of_sums(int(rows), float(sums[_AT[1, 0]]), float(sums[_AT[2, 0]]))
    at = squares.interval_within(0, math.inf)
    return {
        "mse": known(squares.value, rows, "rows", at, level),
        "rmse": known(math.sqrt(squares.value), rows, "rows", mapped(at, math.sqrt, "student-root"), level),
        "bias": known(bias.value, rows, "rows", bias.interval, level),
        "r2": _explained(sums, 0.0, level),
        "explained_variance": _explained(sums, bias.value, level),
    }


def _explained(sums: npt.NDArray[Any], bias: float, level: float) -> Estimate:
    """1 - Σ (error - bias)² / Σ (truth - mean)², with the variance of its linear approximation (the delta method).

    A row moves it by ((1 - value) (truth - mean)² - (error - bias)²) / variance of the truth.
    """
    rows = float(sums[0])
    centre = sums[_AT[0, 1]] / rows  # numpy's numbers overflow to infinity, Python's powers raise
    moment = {
        (e, y): _centred(sums, (e, y), (bias, centre)) / rows for e, y in ((2, 0), (0, 2), (4, 0), (0, 4), (2, 2))
    }
    spread = moment[0, 2]
    if not spread > 1e-14 * (abs(centre) + np.sqrt(sums[_AT[0, 2]] / rows)) ** 2 or rows < 2:
        return Estimate(None, 0, "variance of the truth") if rows > 1 else Estimate(None, rows, "rows")
    lost = moment[2, 0] / spread
    variance = (lost * lost * moment[0, 4] - 2 * lost * moment[2, 2] + moment[4, 0]) / spread**2 / (rows - 1)
    mean = Mean(float(1 - lost), not_negative(float(variance)), rows - 1, rows)
    return known(mean.value, rows, "rows", mean.interval_within(-math.inf, 1), level)


def _centred(sums: npt.NDArray[Any], power: tuple[int, int], centre: tuple[float, float]) -> np.float64:
    """Σ (error - a)^e (truth - b)^y from the moments about 0."""
    (e, y), (a, b) = power, (np.float64(each) for each in centre)
    total = np.float64(0)
    for i in range(e + 1):
        for j in range(y + 1):
            factor = math.comb(e, i) * math.comb(y, j) * (-a) ** (e - i) * (-b) ** (y - j)
            total += factor * sums[_AT[i, j]]
    return total

"""Regression and multiclass classification of weighted or clustered rows: rows are held, judged slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlops_action.metrics.predictions.binary_rows import OF_CLUSTERS, share_at
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known
from mlops_action.metrics.predictions.held import Columns, Held
from mlops_action.metrics.predictions.multiclass import STATISTICS, TOP, Classifier, losses_of, of_table
from mlops_action.metrics.predictions.regression import row_losses
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer
from mlops_action.statistics.clusters import Codes, Floats, kish_rows, mean_of
from mlops_action.statistics.means import Mean
from mlops_action.statistics.resampling import bootstrap_of, cells_at
from mlops_action.statistics.results import mapped


class _Rows:
    """What the engines share: the held rows, one slice at a time."""

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        self._roles = roles
        self._held = Held(roles, slicer)

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        found = []
        for name, chosen in self._held.slices():
            data, weights, clusters = self._held.rows(chosen)
            count = int(np.count_nonzero(chosen))
            found.append(SliceMetrics(name, count, dict(self._metrics(name, (data, weights, clusters), level))))
        return found

    def _metrics(
        self, name: str, rows: tuple[Columns, Floats, Codes | None], level: float
    ) -> Iterator[tuple[str, Estimate]]:
        raise NotImplementedError


class RegressionRows(_Rows):
    """Takes batches; gives the metrics of all slices, by the same definitions as ``Regression``."""

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""
        self._held.add(batch, {"truth": batch.finite(self._roles.label), "said": batch.finite(self._roles.prediction)})

    def _metrics(
        self, name: str, rows: tuple[Columns, Floats, Codes | None], level: float
    ) -> Iterator[tuple[str, Estimate]]:
        del name  # nothing is drawn
        data, weights, clusters = rows
        truth, said, total = data["truth"], data["said"], float(weights.sum())
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            error = said - truth
            losses = row_losses(truth, said, self._roles.threshold) | {"mse": error * error, "bias": error}
            means = {metric: mean_of(loss, weights, clusters) for metric, loss in losses.items()}
        zeros = int(np.count_nonzero(truth == 0))
        for metric, mean in means.items():
            if metric == "mape" and zeros:
                yield metric, Estimate(None, 0, f"truth in {zeros} rows")
                continue
            at = mean.interval_within(0, np.inf) if metric == "mse" else mean.interval
            yield metric, known(mean.value, total, "rows", at, level)
        root = mapped(means["mse"].interval_within(0, np.inf), np.sqrt, "student-root")
        yield "rmse", known(float(np.sqrt(means["mse"].value)), total, "rows", root, level)
        for metric, bias in (("r2", 0.0), ("explained_variance", means["bias"].value)):
            yield metric, _explained((truth, error - bias), weights, clusters, level)


def _explained(columns: tuple[Floats, Floats], weights: Floats, clusters: Codes | None, level: float) -> Estimate:
    """1 - Σ error² / Σ (truth - mean)², with the variance of its linear approximation over rows or clusters."""
    truth, error = columns
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        spread = (truth - mean_of(truth, weights).value) ** 2
        variance = mean_of(spread, weights).value
        if not variance > 1e-14 * np.square(np.abs(truth).max(initial=0.0)):
            return Estimate(None, 0, "variance of the truth")
        lost = mean_of(error * error, weights).value / variance
        mean = mean_of((lost * spread - error * error) / variance, weights, clusters)
    found = Mean(1 - lost, mean.variance, mean.freedom, mean.rows)
    return known(found.value, float(weights.sum()), "rows", found.interval_within(-np.inf, 1), level)


class MulticlassRows(_Rows):
    """Takes batches; gives the metrics of all slices, by the same definitions as ``Multiclass``."""

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        super().__init__(roles, slicer)
        self._classes = Classifier(roles)

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""
        truth, predicted, scores = self._classes.read(batch)
        columns: Columns = {"truth": truth, "said": predicted}
        if scores is not None:
            loss, _, _, brier, _, *hits = losses_of(truth, scores)
            columns |= {"log_loss": loss, "brier": brier}
            columns |= {f"top_{k}_accuracy": hit for k, hit in zip(TOP, hits, strict=True)}
        self._held.add(batch, columns)

    def _metrics(
        self, name: str, rows: tuple[Columns, Floats, Codes | None], level: float
    ) -> Iterator[tuple[str, Estimate]]:
        data, weights, clusters = rows
        total = float(weights.sum())
        shares = {"accuracy": (data["truth"] == data["said"]).astype(np.float64)}
        shares |= {metric: hit for metric, hit in data.items() if metric.startswith("top_")}
        for metric, hit in shares.items():
            mean = mean_of(hit, weights, clusters)
            yield metric, known(mean.value, total, "rows", share_at(mean, kish_rows(weights)), level)
        for metric in {"log_loss", "brier"} & set(data):
            mean = mean_of(data[metric], weights, clusters)
            at = mean.interval_for_skewed if metric == "log_loss" else mean.interval
            yield metric, known(mean.value, total, "rows", at, level)
        yield from self._of_table(name, rows, level)

    def _of_table(
        self, name: str, rows: tuple[Columns, Floats, Codes | None], level: float
    ) -> Iterator[tuple[str, Estimate]]:
        data, weights, clusters = rows
        size = self._classes.count
        code = data["truth"] * size + data["said"]
        cells = np.bincount(code, weights=weights, minlength=size * size)
        table: Any = np.round(cells * kish_rows(weights) / cells.sum()) if cells.sum() else cells
        if clusters is not None:
            groups = int(clusters.max()) + 1
            table = np.bincount(clusters * size * size + code, weights=weights, minlength=groups * size * size)
            table = table.reshape(groups, -1)
            table = table[np.bincount(clusters, minlength=groups) > 0]
        for metric in STATISTICS:
            of = of_table(metric, size)
            at = cells_at(table, of, bootstrap_of(metric, name, resamples=OF_CLUSTERS))
            yield metric, known(float(of(cells)), float(weights.sum()), "rows", at, level)

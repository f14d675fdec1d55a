"""Binary classification of weighted or clustered rows, and calibration: rows are held, and judged slice by slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.binary import EPSILON, average_precision_interval
from mlops_action.metrics.predictions.binary_labels import BinaryLabels, Truth
from mlops_action.metrics.predictions.binary_metrics import RESAMPLES, Outcomes, f_beta_of, mcc_of
from mlops_action.metrics.predictions.calibration import RESAMPLES as OF_ERROR
from mlops_action.metrics.predictions.calibration import Claims, error_estimate, line
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known
from mlops_action.metrics.predictions.held import Held
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer
from mlops_action.statistics.clusters import Codes, Floats, effective_of, kish_rows, mean_of
from mlops_action.statistics.delong import Auc, auc_of, weighted_auc_of
from mlops_action.statistics.influence import Influences, average_precision, on_logit, units_among
from mlops_action.statistics.means import Mean
from mlops_action.statistics.proportions import mover, wilson
from mlops_action.statistics.resampling import bootstrap_of, cells_at
from mlops_action.statistics.results import At, Interval, mapped

OF_CLUSTERS = 2000
_OF_TABLES: dict[str, Callable[[Any], Any]] = {
    "mcc": mcc_of,
    "f0.5": partial(f_beta_of, 0.5),
    "f2": partial(f_beta_of, 2),
}


@frozen
class _Rows:
    """The rows of one slice; ``scores`` is empty without a score."""

    positive: Truth
    predicted: Truth
    scores: Floats
    weights: Floats
    clusters: Codes | None

    def among(self, chosen: Truth) -> tuple[Floats, Codes | None]:
        """Weights and clusters of some rows."""
        return self.weights[chosen], None if self.clusters is None else self.clusters[chosen]


class BinaryRows:
    """Takes batches; gives the metrics of all slices, by the same definitions as ``Binary``."""

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        self._roles = roles
        self._labels = BinaryLabels(roles.positive)
        self._held = Held(roles, slicer)

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""
        roles = self._roles
        scores = batch.finite(roles.score) if roles.score else np.zeros(0)
        positive = self._labels.positive(batch, roles.label)
        predicted = self._labels.positive(batch, roles.prediction) if roles.prediction else scores >= roles.threshold
        self._held.add(batch, {"positive": positive, "predicted": predicted, "scores": scores})

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        found = []
        for name, chosen in self._held.slices():
            data, weights, clusters = self._held.rows(chosen)
            rows = _Rows(data["positive"], data["predicted"], data["scores"], weights, clusters)
            metrics = _shares(rows, level)
            for metric, statistic in _OF_TABLES.items():
                metrics[metric] = _of_table(rows, f"{metric} {name}", statistic, level)
            if self._roles.score:
                metrics |= _of_scores(rows, level)
            if self._roles.calibration and self._roles.score:
                metrics |= _calibration(rows, name, level)
            found.append(SliceMetrics(name, rows.positive.size, metrics, _outcomes(rows).as_dict()))
        return found


def _outcomes(rows: _Rows) -> Outcomes:
    sums = np.bincount(rows.positive * 2 + rows.predicted, weights=rows.weights, minlength=4)
    return Outcomes(*sums.tolist())


def _share(rows: _Rows, hit: Truth, among: Truth) -> tuple[float, float, At]:
    """A share of some of the rows, their weight, and Wilson's interval of the effective rows."""
    weights, clusters = rows.among(among)
    mean = mean_of(hit[among].astype(np.float64), weights, clusters)
    return mean.value, float(weights.sum()), share_at(mean, kish_rows(weights))


def share_at(mean: Mean, rows: float) -> At:
    """Wilson's interval of a share whose sandwich variance is known; ``rows`` are Kish's."""

    def at(level: float) -> Interval:
        effective = effective_of(mean, rows, level)
        return wilson(mean.value * effective, effective, level) if effective else Interval(0.0, 1.0, level, "wilson")

    return at


def _shares(rows: _Rows, level: float) -> dict[str, Estimate]:
    y, said, everything = rows.positive, rows.predicted, np.ones(rows.positive.size, bool)
    wanted = {
        "accuracy": (y == said, everything, "rows"),
        "precision": (y, said, "predicted positives"),
        "recall": (said, y, "positives"),
        "false_negative_rate": (~said, y, "positives"),
        "specificity": (~said, ~y, "negatives"),
        "false_positive_rate": (said, ~y, "negatives"),
        "prevalence": (y, everything, "rows"),
        "selection_rate": (said, everything, "rows"),
    }
    shares = {name: _share(rows, hit, among) for name, (hit, among, _) in wanted.items()}
    found = {name: known(*shares[name][:2], wanted[name][2], shares[name][2], level) for name in wanted}
    star, union, at = _share(rows, y & said, y | said)
    f1 = mapped(at, lambda end: 2 * end / (1 + end), "wilson-f-star")
    found["f1"] = known(2 * star / (1 + star), union, "positives or predicted positives", f1, level)
    (recall, positives, own), (raised, negatives, other) = shares["recall"], shares["false_positive_rate"]
    both = mapped(
        lambda asked: mover((recall, own(asked)), (raised, other(asked)), asked, "mover-wilson"),
        lambda end: (1 + end) / 2,
    )
    middle = (recall + 1 - raised) / 2
    found["balanced_accuracy"] = known(middle, min(positives, negatives), "rows of the rarer class", both, level)
    return found


def _of_table(rows: _Rows, name: str, statistic: Callable[[Any], Any], level: float) -> Estimate:
    """A statistic of the four outcomes, with the bootstrap of cells, or of clusters."""
    code = rows.positive * 2 + rows.predicted
    cells = np.bincount(code, weights=rows.weights, minlength=4)
    how = bootstrap_of(*name.split(" ", 1), resamples=RESAMPLES if rows.clusters is None else OF_CLUSTERS)
    if rows.clusters is None:
        table = np.round(cells * kish_rows(rows.weights) / cells.sum()) if cells.sum() else cells
    else:
        size = int(rows.clusters.max()) + 1
        table = np.bincount(rows.clusters * 4 + code, weights=rows.weights, minlength=4 * size).reshape(-1, 4)
        table = table[np.bincount(rows.clusters, minlength=size) > 0]
    return known(
        float(statistic(cells)),
        float(cells.min()),
        "rows of the rarest outcome",
        cells_at(table, statistic, how),
        level,
    )


def _of_scores(rows: _Rows, level: float) -> dict[str, Estimate]:
    area = _area(rows)
    positives = rows.weights[rows.positive]
    fewer = "positives" if area.positives <= area.negatives else "negatives"
    found = {
        "roc_auc": known(area.value, min(area.positives, area.negatives), fewer, area.interval, level),
        "average_precision": _average_precision(rows, positives, level),
    }
    return found | _losses(rows, level)


def _average_precision(rows: _Rows, positives: Floats, level: float) -> Estimate:
    found = average_precision(rows.positive, rows.scores, rows.weights)
    if rows.clusters is None:
        at: At = partial(average_precision_interval, found.value, kish_rows(positives))
    else:
        at = clustered_precision_at(found, rows.positive & (rows.weights > 0), rows.weights, rows.clusters)
    return known(found.value, float(positives.sum()), "positives", at, level)


def clustered_precision_at(found: Influences, positive: Truth, weights: Floats, clusters: Codes) -> At:
    """The logit interval of an average precision of clustered rows, by what the clusters move it.

    Never narrower than that of rows without clusters (Boyd et al. 2013), so that luck does not narrow it: few clusters
    are known to do so.
    """
    mean = replace(found, units=units_among(positive, clusters)).mean(clusters)
    least = mean.value * (1 - mean.value) / max(1.0, kish_rows(weights[positive]))
    return on_logit(replace(mean, variance=max(mean.variance, least)))


def _area(rows: _Rows) -> Auc:
    even = rows.weights.size == 0 or rows.weights.min() == rows.weights.max() > 0
    if even:
        return auc_of(rows.positive, rows.scores, rows.clusters)
    return weighted_auc_of(rows.positive, rows.scores, rows.weights, rows.clusters)


def _losses(rows: _Rows, level: float) -> dict[str, Estimate]:
    if rows.scores.size and (rows.scores.min() < 0 or rows.scores.max() > 1):
        nothing = Estimate(None, 0, "rows with a probability")
        return {"log_loss": nothing, "brier": nothing}
    right = np.where(rows.positive, rows.scores, 1 - rows.scores)
    loss = mean_of(-np.log(np.clip(right, EPSILON, 1 - EPSILON)), rows.weights, rows.clusters)
    brier = mean_of((1 - right) ** 2, rows.weights, rows.clusters)
    total = float(rows.weights.sum())
    return {
        "log_loss": known(loss.value, total, "rows", loss.interval_for_skewed, level),
        "brier": known(brier.value, total, "rows", brier.interval, level),
    }


def _calibration(rows: _Rows, name: str, level: float) -> dict[str, Estimate]:
    if rows.scores.min() < 0 or rows.scores.max() > 1 or not rows.weights.sum() > 0:
        return {"ece": Estimate(None, 0, "rows with a probability")}
    claims = Claims(rows.positive.astype(np.float64), rows.scores, rows.weights, rows.clusters)
    return {"ece": error_estimate(claims, bootstrap_of("ece", name, resamples=OF_ERROR), level)} | line(claims, level)

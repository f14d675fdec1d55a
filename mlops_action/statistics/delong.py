"""The area under the ROC curve, exactly, with DeLong's variance in O(n log n).

DeLong, DeLong & Clarke-Pearson 1988 (Biometrics 44:837); midranks as Sun & Xu 2014 (IEEE SPL 21:1389); clusters as
Obuchowski 1997 (Biometrics 53:567).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mlops_action.frozen import frozen
from mlops_action.statistics.area_score import score_ends
from mlops_action.statistics.clusters import Codes, Floats
from mlops_action.statistics.influence import Influences, units_among
from mlops_action.statistics.means import Mean
from mlops_action.statistics.results import LEVEL, Interval, tail

Labels = npt.NDArray[np.bool_]


METHOD = "delong-score"


@frozen
class Auc:
    """An area with what its variance needs; ``value`` is NaN without positives or without negatives."""

    value: float
    positives: float
    negatives: float
    variance: float
    freedom: float
    units: tuple[float, float]
    """Independent units among positives and among negatives: rows, or clusters."""

    def interval(self, level: float = LEVEL) -> Interval:
        """The score interval with a moderated variance (``area_score``), which keeps to [0, 1] and has width at 1."""
        if math.isnan(self.value) or math.isnan(self.variance) or min(self.units) < 2:
            return Interval(0.0, 1.0, level, METHOD)
        low, high = score_ends((self.value, self.variance), self.units, tail(level))
        return Interval(low, high, level, METHOD)

    def wald(self, level: float = LEVEL) -> Interval:
        """DeLong's own interval, value ± z · error: for comparison with other tools; it covers too little."""
        return Mean(self.value, self.variance, math.inf).interval(level)


@frozen
class Components:
    """Each positive's share of outranked negatives, and each negative's share of positives above it."""

    positive: Floats
    negative: Floats


def midranks(values: Floats) -> Floats:
    """Ranks from 1, ties share their mean: shape (rows,) to (rows,)."""
    order = np.argsort(values)  # not a stable sort, which takes several times as long: ties share a rank anyway
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    ends = np.append(starts[1:], ordered.size)
    ranks = np.empty(values.size)
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks


def components(labels: Labels, scores: Floats) -> Components:
    """DeLong's structural components V10 and V01, in the order of the rows.

    Args:
        labels: shape (rows,), true for positives; there must be some of both.
        scores: shape (rows,), not NaN; higher means positive.
    """
    positives, negatives = scores[labels], scores[~labels]
    ranks = midranks(scores)
    below = (ranks[labels] - midranks(positives)) / negatives.size
    above = 1 - (ranks[~labels] - midranks(negatives)) / positives.size
    return Components(below, above)


def auc_of(labels: Labels, scores: Floats, clusters: Codes | None = None) -> Auc:
    """The area and its variance; with ``clusters`` (rows,) that of Obuchowski."""
    positives = int(np.count_nonzero(labels))
    negatives = labels.size - positives
    if not positives or not negatives:
        return Auc(math.nan, positives, negatives, math.nan, 0, (0, 0))
    return _estimate(components(labels, scores), labels, clusters)


def weighted_auc_of(labels: Labels, scores: Floats, weights: Floats, clusters: Codes | None = None) -> Auc:
    """The area of weighted rows (scikit-learn's ``sample_weight``); its variance is linearised over rows or clusters.

    As for areas of complex surveys (Yao, Li & Graubard 2015, Stat Med 34:1293). Weights: shape (rows,), not negative.
    """
    held = weights > 0
    labels, scores, weights = labels[held], scores[held], weights[held]
    clusters = None if clusters is None else clusters[held]
    both = float(weights[labels].sum()), float(weights[~labels].sum())
    found = weighted_area(labels, scores, weights, clusters)
    units = (units_among(labels, clusters), units_among(~labels, clusters)) if found.units else (0.0, 0.0)
    mean = found.mean(clusters)
    return Auc(found.value, *both, mean.variance, max(0.0, found.units - 1), units)


def weighted_area(labels: Labels, scores: Floats, weights: Floats, clusters: Codes | None = None) -> Influences:
    """The area of weighted rows and how each moves it; weights are above 0, all of shape (rows,)."""
    own, other = weights[labels], weights[~labels]
    if not own.size or not other.size:
        return Influences(math.nan, np.zeros(labels.size), 0)
    below = _outranked(scores[labels], scores[~labels], other)
    above = 1 - _outranked(scores[~labels], scores[labels], own)
    value = float((own * below).sum() / own.sum())
    moved = np.empty(labels.size)
    moved[labels] = own * (below - value) / own.sum()
    moved[~labels] = other * (above - value) / other.sum()
    return Influences(value, moved, min(units_among(side, clusters) for side in (labels, ~labels)))


def _outranked(scores: Floats, others: Floats, weights: Floats) -> Floats:
    """For each score, the weighted share of ``others`` below it; ties count half."""
    order = np.argsort(others, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(weights[order])))
    ordered = others[order]
    below, through = (total[np.searchsorted(ordered, scores, side)] for side in ("left", "right"))
    return np.asarray((below + through) / 2 / total[-1], dtype=np.float64)


def auc_of_sums(positives: int, negatives: int, area: float, squares: tuple[float, float]) -> Auc:
    """The area from one-pass sums.

    Args:
        positives: how many rows.
        negatives: how many rows.
        area: Σ V10 / positives, which is the area itself.
        squares: Σ (V10 - area)² over positives and Σ (V01 - area)² over negatives.
    """
    if not positives or not negatives:
        return Auc(math.nan, positives, negatives, math.nan, 0, (0, 0))
    variance, freedom = _combined((squares[0], positives), (squares[1], negatives))
    return Auc(area, positives, negatives, variance, freedom, (positives, negatives))


def auc_difference(labels: Labels, candidate: Floats, baseline: Floats, clusters: Codes | None = None) -> Mean:
    """The paired difference of two areas on the same rows, candidate - baseline (DeLong's test is ``differs_from(0)``).

    Degrees of freedom are Satterthwaite's; DeLong's own test takes infinitely many (``Mean(d, v, inf)``).
    """
    if labels.all() or not labels.any():
        return Mean(math.nan, math.nan, 0)
    ours, theirs = components(labels, candidate), components(labels, baseline)
    both = Components(ours.positive - theirs.positive, ours.negative - theirs.negative)
    estimate = _estimate(both, labels, clusters)
    return Mean(estimate.value, estimate.variance, estimate.freedom)


def _estimate(parts: Components, labels: Labels, clusters: Codes | None) -> Auc:
    positives, negatives = parts.positive.size, parts.negative.size
    value = float(parts.positive.mean())
    high, low = parts.positive - value, parts.negative - value
    if clusters is None:
        variance, freedom = _combined((float((high * high).sum()), positives), (float((low * low).sum()), negatives))
        return Auc(value, positives, negatives, variance, freedom, (positives, negatives))
    size = int(clusters.max()) + 1
    own, other = clusters[labels], clusters[~labels]
    first = np.bincount(own, weights=high, minlength=size)
    second = np.bincount(other, weights=low, minlength=size)
    with_positives, with_negatives = int(np.unique(own).size), int(np.unique(other).size)
    count, fewer = int(np.unique(clusters).size), min(with_positives, with_negatives)
    if fewer < 2:
        return Auc(value, positives, negatives, math.nan, 0, (with_positives, with_negatives))
    variance = (
        with_positives / (with_positives - 1) * float((first * first).sum()) / positives**2
        + with_negatives / (with_negatives - 1) * float((second * second).sum()) / negatives**2
        + 2 * count / (count - 1) * float((first * second).sum()) / (positives * negatives)
    )
    return Auc(value, positives, negatives, max(0.0, variance), fewer - 1, (with_positives, with_negatives))


def _combined(first: tuple[float, int], second: tuple[float, int]) -> tuple[float, float]:
    """S10 / m + S01 / n, and Satterthwaite's degrees of freedom; NaN where a class has one row."""
    parts = []
    for squares, rows in (first, second):
        if rows < 2:
            return math.nan, 0.0
        parts.append((max(0.0, squares) / (rows - 1) / rows, rows - 1))
    variance = sum(part for part, _ in parts)
    spread = sum(part * part / freedom for part, freedom in parts)
    return variance, variance * variance / spread if spread else math.inf

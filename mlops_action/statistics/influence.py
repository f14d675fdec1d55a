"""How much each row moves a statistic: the infinitesimal jackknife, for any smooth statistic of (weighted) rows.

Jaeckel 1972 (Bell Labs memorandum MM 72-1215-11); Efron 1982, chapter 6. With whole clusters it is the sandwich. Two
models' statistics on the same rows have a difference whose rows' influences are the differences of theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.frozen import frozen
from mlops_action.statistics.clusters import Codes, Floats, sums
from mlops_action.statistics.means import Mean
from mlops_action.statistics.results import At, mapped

_STEP = 1e-5
"""Of a count, to either side: error of the square of it, digits enough left."""


@frozen
class Influences:
    """A statistic and what each row adds to it: weight times derivative, shape (rows,), with the sum 0.

    ``units`` are the independent units (rows, or clusters where there are some) that tell most of it, such as those
    with positives: its degrees of freedom are one less. NaN is an undefined statistic.
    """

    value: float
    rows: Floats
    units: float = math.inf

    def minus(self, other: Influences) -> Influences:
        """The difference of two statistics of the same rows."""
        return Influences(self.value - other.value, self.rows - other.rows, min(self.units, other.units))

    def mean(self, clusters: Codes | None = None) -> Mean:
        """The statistic with variance and degrees of freedom; ``clusters`` numbers each row's one, shape (rows,)."""
        grouped = self.rows if clusters is None else sums(clusters, self.rows)
        count = grouped.size if clusters is None else int(np.unique(clusters).size)
        units = min(self.units, count)
        if units < 2 or math.isnan(self.value):
            return Mean(self.value, math.nan, 0, count)
        return Mean(self.value, count / (count - 1) * float((grouped * grouped).sum()), units - 1, count)


def units_among(rows: npt.NDArray[np.bool_], clusters: Codes | None = None) -> float:
    """How many independent units some rows are of."""
    return float(np.count_nonzero(rows) if clusters is None else np.unique(clusters[rows]).size)


def average_precision(labels: npt.NDArray[np.bool_], scores: Floats, weights: Floats | None = None) -> Influences:
    """Average precision, scikit-learn's definition, from one sort; undefined without positives.

    A row moves it in two ways: as a positive by its own precision, and as one of the rows at or above each positive's
    score by those positives' precisions.

    Args:
        labels: shape (rows,), true for positives.
        scores: shape (rows,), not NaN; higher means positive.
        weights: shape (rows,), not negative; None for rows that count alike.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, own = scores[order], np.ones(scores.size) if weights is None else weights[order]
    positive = labels[order].astype(np.float64)
    if not (own * positive).sum() > 0:
        return Influences(math.nan, np.zeros(scores.size), 0)
    starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    tie = np.cumsum(starts) - 1
    ends = np.append(np.flatnonzero(starts)[1:], scores.size) - 1
    won, seen = np.cumsum(own * positive)[ends], np.cumsum(own)[ends]
    precision = np.divide(won, seen, out=np.zeros_like(won), where=seen > 0)
    gained = np.divide(np.diff(won, prepend=0.0), seen, out=np.zeros_like(won), where=seen > 0)
    value = float((np.diff(won, prepend=0.0) * precision).sum() / won[-1])
    below = [np.cumsum(each[::-1])[::-1] for each in (gained, gained * precision)]
    moved = positive * (precision[tie] - value + below[0][tie]) - below[1][tie]
    rows = np.empty(scores.size)
    rows[order] = own * moved / won[-1]
    return Influences(value, rows)


def of_counts(
    statistic: Callable[[Any], Any], size: int, members: Sequence[npt.NDArray[Any]], weights: Floats | None = None
) -> Influences:
    """Any smooth function of (weighted) counts of rows that stays the same when all weights are doubled.

    Args:
        statistic: from counts (…, size) to values (…,); NaN where it is undefined.
        size: how many counts there are.
        members: counts that each row is of, one array of shape (rows,) for each that it may be of; -1 for none.
        weights: shape (rows,), not negative; None for rows that count alike.
    """
    total = np.zeros(size + 1)  # the last one is of those that are of none
    for each in members:
        total += np.bincount(np.where(each < 0, size, each), weights=weights, minlength=size + 1)
    total[size] = 0
    step = np.diag(total[:size] * _STEP)
    there = np.flatnonzero(total[:size])
    slope = np.zeros(size + 1)
    ends = [statistic(total[:size] + sign * step[there]) for sign in (1, -1)]
    slope[there] = (ends[0] - ends[1]) / (2 * np.diagonal(step)[there])
    rows = sum((slope[each] for each in members), np.zeros(members[0].size))
    return Influences(float(statistic(total[:size])), rows if weights is None else rows * weights)


def of_ratio(above: Floats, below: Floats, weights: Floats | None = None) -> Influences:
    """The (weighted) sum of ``above`` over that of ``below``, each of shape (rows,); undefined over 0."""
    own = np.ones_like(below) if weights is None else weights
    total = float((own * below).sum())
    if not total:
        return Influences(math.nan, np.zeros(below.size), 0)
    ratio = float((own * above).sum()) / total
    return Influences(ratio, own * (above - ratio * below) / total)


def on_logit(mean: Mean) -> At:
    """Student's interval of a share on the logit scale; [0, 1] where the share or its variance tells nothing."""
    share = mean.value
    if not 0 < share < 1 or not mean.variance > 0:
        return lambda level: mean.interval(level).within(0, 1) if 0 < share < 1 else _anything(level)
    odds = Mean(math.log(share / (1 - share)), mean.variance / (share * (1 - share)) ** 2, mean.freedom)
    return mapped(odds.interval, lambda end: 1 / (1 + math.exp(-end)) if end > -700 else 0.0, "student-logit")


def _anything(level: float) -> Any:
    return Mean(math.nan, math.nan, 0).interval(level).within(0, 1)

"""The bootstrap: of rows, of clusters, of the cells of a confusion table.

Intervals are bias-corrected and accelerated (Efron 1987, JASA 82:171). Rows of one cluster are drawn together
(Davison & Hinkley 1997, section 3.8), because the sandwich has no form for a statistic of any kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.frozen import frozen
from mlops_action.statistics.clusters import Codes, Floats
from mlops_action.statistics.distributions import normal_cdf, normal_quantile
from mlops_action.statistics.results import LEVEL, At, Interval, tail
from mlops_action.statistics.seeds import generator

RESAMPLES = 2000
MOST_LEFT_OUT = 200
"""Jackknife groups for the acceleration; with more rows, several are left out at once (Efron & Tibshirani 1993)."""
MOST_UNDEFINED = 0.05
"""With more resamples on which the statistic is undefined there is no interval."""

Indices = npt.NDArray[np.int64]
Counts = npt.NDArray[Any]
OfRows = Callable[[Indices], float]
OfCells = Callable[[Counts], Floats]


@frozen
class Bootstrap:
    """How to draw: how often, and from which stream (``generator(metric, slice)``), begun when something is drawn."""

    begin: Callable[[], np.random.Generator]
    resamples: int = RESAMPLES


@frozen
class _Resampled:
    """The statistic of the data, of the resamples, and with parts left out."""

    estimate: float
    drawn: Floats
    jackknife: tuple[Floats, Floats]


_NOTHING = _Resampled(math.nan, np.zeros(0), (np.zeros(0), np.zeros(0)))


def _at(draw: Callable[[], _Resampled]) -> At:
    drawn = cache(draw)

    def at(level: float) -> Interval:
        found = drawn()
        return bca(found.estimate, found.drawn, found.jackknife, level)

    return at


def bootstrap_of(*purpose: str, resamples: int = RESAMPLES) -> Bootstrap:
    """The recorded seed's own stream for one purpose, such as a metric and a slice."""
    return Bootstrap(partial(generator, *purpose), resamples)


def rows_interval(rows: int, statistic: OfRows, how: Bootstrap, level: float = LEVEL) -> Interval:
    """The BCa interval of any statistic of rows.

    Args:
        rows: how many there are.
        statistic: from row numbers, shape (rows,), repeated as drawn, to the statistic; NaN where it is undefined.
        how: number of resamples and stream.
        level: of the interval.
    """
    return rows_at(rows, statistic, how)(level)


def rows_at(rows: int, statistic: OfRows, how: Bootstrap) -> At:
    """``rows_interval`` at any level; drawn once, when the first one is asked for."""
    return _at(lambda: _of_rows(rows, statistic, how))


def _of_rows(rows: int, statistic: OfRows, how: Bootstrap) -> _Resampled:
    stream = how.begin()
    drawn = np.array([statistic(stream.integers(0, rows, size=rows)) for _ in range(how.resamples)])
    groups = [np.arange(rows)[start :: min(rows, MOST_LEFT_OUT)] for start in range(min(rows, MOST_LEFT_OUT))]
    everything = np.arange(rows)
    left_out = np.array([statistic(np.delete(everything, group)) for group in groups])
    return _Resampled(statistic(everything), drawn, (left_out, np.ones(left_out.size)))


def clusters_interval(clusters: Codes, statistic: OfRows, how: Bootstrap, level: float = LEVEL) -> Interval:
    """As ``rows_interval``, with whole clusters drawn; ``clusters`` numbers each row's one, shape (rows,)."""
    return clusters_at(clusters, statistic, how)(level)


def clusters_at(clusters: Codes, statistic: OfRows, how: Bootstrap) -> At:
    """``clusters_interval`` at any level; drawn once, when the first one is asked for."""
    order = np.argsort(clusters, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(clusters))[:-1])

    def of_clusters(chosen: Indices) -> float:
        return statistic(np.concatenate([members[each] for each in chosen])) if chosen.size else math.nan

    return rows_at(len(members), of_clusters, how)


def cells_interval(counts: Counts, statistic: OfCells, how: Bootstrap, level: float = LEVEL) -> Interval:
    """The BCa interval of a statistic of a confusion table, whatever the number of rows.

    Drawing cells from the multinomial distribution *is* drawing rows: the statistic sees rows through the cells only.

    Args:
        counts: shape (cells,): rows in each cell; or (clusters, cells), and then whole clusters are drawn.
        statistic: from counts (…, cells) to values (…,); NaN where it is undefined.
        how: number of resamples and stream.
        level: of the interval.
    """
    return cells_at(counts, statistic, how)(level)


def cells_at(counts: Counts, statistic: OfCells, how: Bootstrap) -> At:
    """``cells_interval`` at any level; drawn once, when the first one is asked for."""
    draw = _clustered_cells if counts.ndim == 2 else _of_cells
    return _at(lambda: draw(counts, statistic, how))


def _of_cells(counts: Counts, statistic: OfCells, how: Bootstrap) -> _Resampled:
    rows = int(counts.sum())
    if not rows:
        return _NOTHING
    drawn = statistic(how.begin().multinomial(rows, counts / counts.sum(), size=how.resamples))
    present = np.flatnonzero(counts)
    left_out = statistic(counts - np.eye(counts.size)[present])
    return _Resampled(float(statistic(counts)), drawn, (left_out, counts[present].astype(np.float64)))


def bca(estimate: float, drawn: Floats, jackknife: tuple[Floats, Floats], level: float = LEVEL) -> Interval:
    """The BCa interval from resampled values.

    Args:
        estimate: the statistic of the data themselves.
        drawn: its values on the resamples; NaN is undefined.
        jackknife: its values with one row (group, cluster) left out, and how often each occurs.
        level: of the interval.
    """
    known = drawn[~np.isnan(drawn)]
    if math.isnan(estimate) or known.size < (1 - MOST_UNDEFINED) * drawn.size or not known.size:
        return _unknown(level)
    share = (np.count_nonzero(known < estimate) + np.count_nonzero(known <= estimate)) / (2 * known.size)
    bias, acceleration = normal_quantile(share), _acceleration(*jackknife)
    if math.isinf(bias):
        # The estimate lies outside all resamples, as at the end of its range: percentiles are all there is.
        bias = acceleration = 0.0
    ends = []
    for probability in (tail(level), 1 - tail(level)):
        moved = bias + normal_quantile(probability)
        ends.append(normal_cdf(bias + moved / (1 - acceleration * moved)))
    low, high = np.quantile(known, ends)
    return Interval(float(low), float(high), level, "bootstrap-bca", drawn.size)


def _clustered_cells(counts: Counts, statistic: OfCells, how: Bootstrap) -> _Resampled:
    clusters = counts.shape[0]
    if clusters < 2:
        return _NOTHING
    totals, stream = np.empty((how.resamples, counts.shape[1])), how.begin()
    for each in range(how.resamples):
        times = np.bincount(stream.integers(0, clusters, size=clusters), minlength=clusters)
        totals[each] = (times[:, None] * counts).sum(axis=0)
    left_out = statistic(counts.sum(axis=0) - counts)
    everything = float(statistic(counts.sum(axis=0)))
    return _Resampled(everything, statistic(totals), (left_out, np.ones(clusters)))


def _acceleration(left_out: Floats, times: Floats) -> float:
    known = ~np.isnan(left_out)
    values, times = left_out[known], times[known]
    if not values.size:
        return 0.0
    distance = (values * times).sum() / times.sum() - values
    squares = float((times * distance**2).sum())
    return float((times * distance**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


def _unknown(level: float) -> Interval:
    return Interval(-math.inf, math.inf, level, "bootstrap-bca", RESAMPLES)

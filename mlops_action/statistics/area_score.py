"""A score interval of the area under the ROC curve: its variance is that of the area asked about, as in Wilson's.

The estimated variance of an area is too small when few rows are ranked: the rare positive that ranks low may not be
among them. So it is moderated as in limma (Smyth 2004, Stat Appl Genet Mol Biol 3:3): averaged with that of the
binormal model (two normal distributions of one width), each weighted by its degrees of freedom. Those of the estimate
are 2 · rows / (kurtosis - 1) of a class (Box 1953, Biometrika 40:318): next to none where an area is near 1, as nearly
all rows then have the same placement. The moderated variance only ever replaces a smaller one: where positives are more
spread than negatives, the model knows less than the rows. The interval holds the areas a with (estimate - a)² ≤ t² ·
variance(a); Newcombe 2006 (Stat Med 25:559) solves the same equation with the exponential model's variance.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cache

import numpy as np

from mlops_action.statistics.distributions import normal_cdf, student_quantile

PRIOR = 20.0
"""Degrees of freedom of the model. Chosen by simulation with other seeds: see docs/statistics.md."""
Table = tuple[list[float], list[float], list[float]]


def score_ends(area: tuple[float, float], units: tuple[float, float], beyond: float) -> tuple[float, float]:
    """The ends of the interval.

    Args:
        area: the estimate and its (DeLong's) variance.
        units: independent rows or clusters of the positive and of the negative class, at least 2 of each.
        beyond: the probability beyond each end.
    """
    value, variance = area
    one, other = units
    inside = min(max(value, 0.5 / (one * other)), 1 - 0.5 / (one * other))
    spread, kurtosis = _shape(inside)
    freedom = _freedom(
        (spread / one, 2 * (one - 1) / (kurtosis - 1)), (spread / other, 2 * (other - 1) / (kurtosis - 1))
    )
    known = spread * (1 / one + 1 / other)
    ratio = max(variance / known, (freedom * variance / known + PRIOR) / (freedom + PRIOR))
    quantile = student_quantile(1 - beyond, max(freedom + PRIOR, min(units) - 1))
    scale = quantile * quantile * ratio * (1 / one + 1 / other)
    return _solved(value, scale, 0.0), _solved(value, scale, 1.0)


def _solved(value: float, scale: float, end: float) -> float:
    """Between the estimate and an end of the range: the last area that the estimate does not contradict.

    The spread is a straight line between the areas of the table: the one that is the first to be contradicted is
    searched by halves, and the rest is a quadratic equation.
    """
    areas, spreads = _line()
    up = end > value
    near = bisect_left(areas, value) - (0 if up else 1)
    far = len(areas) - 1 if up else 0
    if value == end or (value - end) ** 2 <= scale * spreads[far]:
        return end
    while near != far:
        middle = (near + far) // 2 if up else (near + far + 1) // 2
        if (value - areas[middle]) ** 2 <= scale * spreads[middle]:
            near = middle + 1 if up else middle - 1
        else:
            far = middle
    before = far - 1 if up else far + 1
    slope = scale * (spreads[far] - spreads[before]) / (areas[far] - areas[before])
    here = scale * spreads[far] + slope * (value - areas[far])
    root = math.sqrt(max(0.0, slope * slope + 4 * here))
    found = value + (slope + root if up else slope - root) / 2
    return min(max(found, value), areas[far]) if up else max(min(found, value), areas[far])


def _freedom(*parts: tuple[float, float]) -> float:
    """Satterthwaite's degrees of freedom of a sum of variances, each with its own."""
    total = sum(variance for variance, _ in parts)
    return total * total / sum(variance * variance / freedom for variance, freedom in parts)


def _shape(area: float) -> tuple[float, float]:
    """Variance and kurtosis of a row's placement (the share of the other class below it) in the binormal model."""
    return _spread(area), _between(_table()[0], _table()[2], area)


def _spread(area: float) -> float:
    areas, spreads, _ = _table()
    return _between(areas, spreads, area)


def _between(known: list[float], values: list[float], area: float) -> float:
    """Linear interpolation; the model is symmetric about one half. Plain Python: numpy is slow with one number."""
    symmetric = max(area, 1 - area)
    place = min(max(1, bisect_left(known, symmetric)), len(known) - 1)
    share = (symmetric - known[place - 1]) / (known[place] - known[place - 1])
    return values[place - 1] + share * (values[place] - values[place - 1])


@cache
def _line() -> tuple[list[float], list[float]]:
    """Areas from 0 to 1 with their variances."""
    areas, spreads, _ = _table()
    return [*(1 - area for area in reversed(areas[1:])), *areas], [*reversed(spreads[1:]), *spreads]


@cache
def _table() -> Table:
    """Areas from 0.5 to 1 with variance and kurtosis of Φ(x), x normal about √2 · Φ⁻¹(area).

    By the trapezoidal rule, which is exact to rounding for functions as smooth as these on the whole line.
    """
    nodes = np.arange(-8, 8.01, 0.25)
    weights = np.exp(-nodes * nodes / 2)
    weights /= weights.sum()
    shifts = [*np.linspace(0, 5, 200).tolist(), *np.linspace(5.1, 7.5, 25).tolist()]
    places = np.add.outer(shifts, nodes) / -math.sqrt(2)  # as in ``normal_cdf``, whose calls would take longer
    placements = np.fromiter(map(math.erfc, places.ravel().tolist()), np.float64).reshape(places.shape) / 2
    areas = [normal_cdf(shift / math.sqrt(2)) for shift in shifts]
    off = placements - (placements * weights).sum(axis=1)[:, None]
    second, fourth = ((off**power * weights).sum(axis=1) for power in (2, 4))
    kurtoses = (fourth / second**2).tolist()
    return [*areas, 1.0], [*second.tolist(), 0.0], [*kurtoses, kurtoses[-1]]

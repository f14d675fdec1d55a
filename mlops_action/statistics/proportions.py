"""Intervals of proportions and of the difference of two independent ones.

Counts may be real numbers: rows of clusters count as the effective number of rows (``clusters.effective_rows``).
"""

from __future__ import annotations

import math

from mlops_action.statistics.distributions import beta_quantile, normal_quantile
from mlops_action.statistics.results import LEVEL, Interval, tail


def wilson(successes: float, rows: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209); 0 to 1 when there are no rows.

    Raises:
        ValueError: a count is negative or not finite, or there are more successes than rows.
    """
    _check(successes, rows)
    if not rows:
        return Interval(0.0, 1.0, level, "wilson")
    z = -normal_quantile(tail(level))
    share, square = successes / rows, z * z / rows
    middle = (share + square / 2) / (1 + square)
    reach = z * math.sqrt(share * (1 - share) / rows + square / (4 * rows)) / (1 + square)
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    return Interval(low, 1.0 if successes == rows else min(1.0, middle + reach), level, "wilson")


def clopper_pearson(successes: float, rows: float, level: float = LEVEL) -> Interval:
    """The exact interval of a proportion (Clopper & Pearson 1934, Biometrika 26:404): covers at least ``level``.

    Raises:
        ValueError: a count is negative or not finite, or there are more successes than rows.
    """
    _check(successes, rows)
    beyond, failures = tail(level), rows - successes
    low = beta_quantile(beyond, successes, failures + 1) if successes else 0.0
    high = 1 - beta_quantile(beyond, failures, successes + 1) if failures else 1.0
    return Interval(low, high, level, "clopper-pearson")


def newcombe(candidate: tuple[float, float], baseline: tuple[float, float], level: float = LEVEL) -> Interval:
    """The difference candidate - baseline of two independent proportions (Newcombe 1998, Stat Med 17:873, method 10).

    Args:
        candidate: successes and rows.
        baseline: successes and rows.
        level: of the interval.
    """
    ours, theirs = wilson(*candidate, level), wilson(*baseline, level)
    return mover((_share(candidate), ours), (_share(baseline), theirs), level, "newcombe-independent")


def mover(
    first: tuple[float, Interval], second: tuple[float, Interval], level: float, method: str, correlation: float = 0.0
) -> Interval:
    """The difference first - second of two estimates, each with its own interval: square-and-add.

    The method of variance estimates recovery (Zou & Donner 2008, Stat Med 27:1693), of which Newcombe's intervals are
    the case of proportions. ``correlation`` is that between the two estimates.
    """
    (one, own), (two, other) = first, second
    down, up = one - own.low, own.high - one
    other_down, other_up = two - other.low, other.high - two
    below = _squared(down, other_up, correlation)
    above = _squared(up, other_down, correlation)
    difference = one - two
    return Interval(difference - math.sqrt(below), difference + math.sqrt(above), level, method)


def _squared(reach: float, other: float, correlation: float) -> float:
    """The square of two reaches at right angles, or less where the estimates are correlated; infinite if one is."""
    if math.isinf(reach) or math.isinf(other) or math.isnan(reach) or math.isnan(other):
        return math.inf
    return max(0.0, reach * reach - 2 * correlation * reach * other + other * other)


def _share(counts: tuple[float, float]) -> float:
    return counts[0] / counts[1] if counts[1] else 0.5


def _check(successes: float, rows: float) -> None:
    if not (0 <= successes <= rows < math.inf):
        raise ValueError(f"{successes} of {rows} is not a proportion")

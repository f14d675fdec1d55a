"""Is the candidate better, not worse, worse, or can nobody tell? Judged on the interval of a difference."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from mlops_action.statistics.results import Interval


class Comparison(StrEnum):
    """What an interval of the difference (oriented so that more is better) says, given a margin."""

    BETTER = "better"
    NOT_WORSE = "not worse"
    WORSE = "worse"
    CANNOT_TELL = "cannot tell"


def compare(difference: Interval, margin: float = 0.0) -> Comparison:
    """Judge candidate - baseline, oriented so that more is better, against a non-inferiority margin.

    Better: the whole interval is above 0. Not worse: it is above -margin. Worse: it is below -margin, so that the loss
    is more than what was allowed. Everything else cannot be told from these rows. (CONSORT extension for
    non-inferiority, Piaggio et al. 2012, JAMA 308:2594.) A two-sided 95 % interval tests at 2.5 % on each side.

    Raises:
        ValueError: the margin is negative or NaN.
    """
    if not margin >= 0:
        raise ValueError(f"a margin is not negative, and {margin} is no margin")
    if difference.low > 0:
        return Comparison.BETTER
    if difference.low > -margin or (margin == 0 and difference.low == 0):
        return Comparison.NOT_WORSE
    return Comparison.WORSE if difference.high < -margin else Comparison.CANNOT_TELL


def p_value_above(limit: float, interval: Callable[[float], Interval]) -> float:
    """The one-sided p-value of "above ``limit``" that belongs to a method of intervals, by inverting it.

    It is half of 1 - the highest level at which the interval still lies above the limit, and 1 - half of that on the
    other side. Precise to 1e-12, so that p-values of any interval can be adjusted for multiplicity.

    Args:
        limit: what the quantity is tested against: 0, or -margin.
        interval: the interval at a given level; wider at higher levels.
    """
    return _tail_until(lambda level: interval(level).low > limit, lambda level: interval(level).high <= limit)


def p_value_below(limit: float, interval: Callable[[float], Interval]) -> float:
    """The one-sided p-value of "below ``limit``", as ``p_value_above``."""
    return _tail_until(lambda level: interval(level).high < limit, lambda level: interval(level).low >= limit)


def _tail_until(rejects: Callable[[float], bool], accepts: Callable[[float], bool]) -> float:
    if rejects(1e-12):
        return _smallest(rejects)
    return 1 - _smallest(accepts) if accepts(1e-12) else 0.5


def _smallest(holds: Callable[[float], bool]) -> float:
    """The smallest tail probability at which ``holds`` is true, on a logarithmic scale down to 1e-15."""
    low, high = 1e-15, 0.5
    if holds(1 - 2 * low):
        return low
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if holds(1 - 2 * middle) else (middle, high)
    return high

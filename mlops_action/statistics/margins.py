"""Is the candidate better, not worse, worse, or can nobody tell? Judged on the interval of a difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

from mlops_action.statistics.distributions import normal_cdf, normal_quantile
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
    other side. Precise to 1e-10, so that p-values of any interval can be adjusted for multiplicity.

    Args:
        limit: what the quantity is tested against: 0, or -margin.
        interval: the interval at a given level; wider at higher levels.
    """
    return _tail_where(lambda level: interval(level).low - limit, lambda level: limit - interval(level).high)


def p_value_below(limit: float, interval: Callable[[float], Interval]) -> float:
    """The one-sided p-value of "below ``limit``", as ``p_value_above``."""
    return _tail_where(lambda level: limit - interval(level).high, lambda level: interval(level).low - limit)


def _tail_where(rejects: Callable[[float], float], accepts: Callable[[float], float]) -> float:
    """Half of 1 - the level at which the first distance becomes 0; mirrored where it is never positive."""
    if rejects(_NO_LEVEL) > 0:
        return _smallest(rejects)
    return 1 - _smallest(accepts) if accepts(_NO_LEVEL) >= 0 else 0.5


_NO_LEVEL = 1e-12
_SMALLEST = 1e-15


def _smallest(distance: Callable[[float], float]) -> float:
    """The tail probability at which a distance becomes 0, from 1e-15 to one half.

    A bracket on the scale of the normal quantile, on which ends of intervals are nearly straight lines: the Illinois
    variant of the false position method, with a bisection where it stalls (as on the steps of a bootstrap).
    """
    near, far = 0.0, -normal_quantile(_SMALLEST)
    at_near, at_far = distance(_NO_LEVEL), distance(1 - 2 * _SMALLEST)
    if at_far > 0:
        return _SMALLEST
    for step in range(100):
        straight = math.isfinite(at_near) and math.isfinite(at_far) and at_near > at_far and step % 4 != 3
        z = (near * at_far - far * at_near) / (at_far - at_near) if straight else (near + far) / 2
        here = distance(max(_NO_LEVEL, 1 - 2 * normal_cdf(-z)))  # a level of 0 is none
        if here > 0:
            near, at_near, at_far = z, here, at_far / 2
        else:
            far, at_far, at_near = z, here, at_near / 2
        if far - near < 1e-12 or abs(here) < 1e-300:
            break
    return normal_cdf(-z)

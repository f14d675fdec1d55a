"""Means of per-row losses and their differences, from a variance however it was estimated.

By the central limit theorem with Student's quantile. Where rows are clustered or weighted, ``clusters`` estimates the
variance and the degrees of freedom.
"""

from __future__ import annotations

import math

from mlops_action.frozen import frozen
from mlops_action.statistics.distributions import student_cdf, student_quantile
from mlops_action.statistics.results import LEVEL, At, Interval, Significance, tail


@frozen
class Mean:
    """An estimate that is a mean or behaves like one: its value, the variance of that value, degrees of freedom.

    ``skewness`` is the third standardised moment of one row (0 where it is not known), ``rows`` their number.
    """

    value: float
    variance: float
    freedom: float
    rows: float = math.inf
    skewness: float = 0.0

    def interval(self, level: float = LEVEL) -> Interval:
        """Student's interval; without end when there is no variance to be estimated from."""
        beyond = tail(level)
        if not self.freedom > 0 or math.isnan(self.variance):
            return Interval(-math.inf, math.inf, level, "student")
        reach = student_quantile(1 - beyond, self.freedom) * math.sqrt(self.variance)
        return Interval(self.value - reach, self.value + reach, level, "student")

    def interval_within(self, low: float, high: float) -> At:
        """Student's interval at any level, cut to the range that the quantity can have."""
        return lambda level: self.interval(level).within(low, high)

    def interval_for_skewed(self, level: float = LEVEL) -> Interval:
        """Student's interval corrected for skewness by Hall's cubic transformation (Hall 1992, JRSS B 54:221).

        Losses are skewed: most rows cost nothing, few cost much, and the plain interval then misses on the upper side.
        """
        plain = self.interval(level)
        if not self.skewness or math.isinf(self.rows) or not math.isfinite(plain.low):
            return plain
        error = math.sqrt(self.variance)
        quantile = student_quantile(1 - tail(level), self.freedom)
        low = self.value - error * self._back(quantile)
        return Interval(low, self.value - error * self._back(-quantile), level, "hall-skewness-corrected")

    def greater_than(self, limit: float) -> Significance:
        """The one-sided test: small when the estimate is convincingly above ``limit``."""
        if not self.freedom > 0 or math.isnan(self.variance):
            return Significance(1.0, None, "student-one-sided")
        if not self.variance:
            return Significance(0.0 if self.value > limit else 1.0, None, "student-one-sided")
        statistic = (self.value - limit) / math.sqrt(self.variance)
        return Significance(student_cdf(-statistic, self.freedom), statistic, "student-one-sided")

    def differs_from(self, limit: float = 0.0) -> Significance:
        """The two-sided test that the estimate is ``limit``."""
        sides = self.greater_than(limit), replace_sign(self).greater_than(-limit)
        return Significance(min(1.0, 2 * min(each.p_value for each in sides)), sides[0].statistic, "student")

    def _back(self, quantile: float) -> float:
        """The inverse of Hall's transformation t + s t²/3 + s² t³/27 + s/6 with s = skewness / √rows."""
        s = self.skewness / math.sqrt(self.rows)
        inside = 1 + s * (quantile - s / 6)
        return 3 / s * (math.copysign(abs(inside) ** (1 / 3), inside) - 1)


def not_negative(value: float) -> float:
    """0 for what only rounding has made negative. NaN stays NaN: ``max(0.0, nan)`` is 0, which reads as certain."""
    return 0.0 if value < 0 else value


def replace_sign(mean: Mean) -> Mean:
    """The estimate of the negative quantity."""
    return Mean(-mean.value, mean.variance, mean.freedom, mean.rows, -mean.skewness)


def mean_of_sums(rows: int, total: float, squares: float, cubes: float | None = None, origin: float = 0.0) -> Mean:
    """The mean of independent rows from sums of (x - origin), its squares and, if known, its cubes.

    Args:
        rows: how many.
        total: sum of x - origin.
        squares: sum of (x - origin)².
        cubes: sum of (x - origin)³, for the correction for skewness.
        origin: subtracted from every row before summing, so that no digits are lost; near the mean.
    """
    if rows < 1:
        return Mean(math.nan, math.nan, 0)
    shift = total / rows
    second = not_negative(squares - rows * shift * shift)
    if rows < 2:
        return Mean(origin + shift, math.nan, 0, rows)
    skewness = 0.0
    if cubes is not None and second > 0:
        third = cubes - 3 * shift * squares + 2 * rows * shift * shift * shift
        skewness = third / rows / (second / rows) ** 1.5
    return Mean(origin + shift, second / (rows - 1) / rows, rows - 1, rows, skewness)


def difference_of_independent(candidate: Mean, baseline: Mean) -> Mean:
    """Candidate - baseline of estimates on different rows, with Welch's degrees of freedom (Welch 1947)."""
    variance = candidate.variance + baseline.variance
    parts = sum(each.variance * each.variance / each.freedom for each in (candidate, baseline) if each.freedom > 0)
    known = candidate.freedom > 0 and baseline.freedom > 0
    freedom = (variance * variance / parts if parts else math.inf) if known else 0.0
    return Mean(candidate.value - baseline.value, variance, freedom)

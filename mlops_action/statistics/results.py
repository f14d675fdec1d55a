"""What every method returns: an interval, or a p-value, with the method's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mlops_action.frozen import frozen

LEVEL = 0.95
"""Confidence level of every interval unless another is asked for."""


@frozen
class Interval:
    """A two-sided confidence interval in the unit of what it covers.

    ``low`` and ``high`` may be infinite, or the ends of the possible range, where the data say nothing.
    """

    low: float
    high: float
    level: float
    method: str
    draws: int = 0
    """Random draws that it was made from; 0 where there is a formula. No p-value is below 1 / (draws + 1)."""

    def within(self, low: float, high: float) -> Interval:
        """The part of the interval between ``low`` and ``high``, the range that the quantity can have."""
        return replace(self, low=min(max(self.low, low), high), high=max(min(self.high, high), low))

    def half(self) -> Interval:
        """The interval of half the quantity."""
        return replace(self, low=self.low / 2, high=self.high / 2)


At = Callable[[float], Interval]
"""The interval at a level; nothing is computed before it is asked for."""


def mapped(at: At, of: Callable[[float], float], method: str = "") -> At:
    """The intervals of a monotone function of a quantity, rising or falling."""

    def through(level: float) -> Interval:
        found = at(level)
        low, high = sorted((of(found.low), of(found.high)))
        return replace(found, low=low, high=high, method=method or found.method)

    return through


@frozen
class Significance:
    """A test's p-value, its statistic (None where the p-value is exact and has none) and its name."""

    p_value: float
    statistic: float | None
    method: str


def tail(level: float) -> float:
    """The probability beyond each end of a two-sided interval.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, and {level} does not")
    return (1 - level) / 2

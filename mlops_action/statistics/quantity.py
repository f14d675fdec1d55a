"""One quantity with everything that a verdict needs of it: interval at any level, tests, what would be found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field

from mlops_action.frozen import frozen
from mlops_action.statistics.distributions import normal_quantile
from mlops_action.statistics.margins import p_value_above, p_value_below
from mlops_action.statistics.power import POWER
from mlops_action.statistics.results import LEVEL, At, Significance, tail


@frozen
class Quantity:
    """An estimate of a value, or of the difference candidate - baseline.

    Args:
        estimate: the estimate itself.
        at: its interval at any level; None where no method is known.
        rows: rows that it was estimated from.
        paired: whether both models were seen on the same rows.
        from_zero: one-sided tests of no difference: that the candidate is lower, that it is higher. Exact ones are
            better than the interval turned round.
        detectable: the smallest difference that a one-sided test at a given size finds with 80 % power.
    """

    estimate: float
    at: At | None
    rows: int
    paired: bool = False
    from_zero: tuple[Callable[[], Significance], Callable[[], Significance]] | None = None
    detectable: Callable[[float], float] | None = field(default=None, compare=False)

    def below(self, limit: float) -> Significance:
        """The one-sided test of "it is below ``limit``"."""
        if limit == 0 and self.from_zero is not None:
            return self.from_zero[0]()
        return self._turned(limit, p_value_below)

    def above(self, limit: float) -> Significance:
        """The one-sided test of "it is above ``limit``"."""
        if limit == 0 and self.from_zero is not None:
            return self.from_zero[1]()
        return self._turned(limit, p_value_above)

    def smallest_found(self, alpha: float, *, downwards: bool) -> float:
        """The smallest distance beyond a limit that is found with 80 % power; infinite when none is.

        Where there is no formula, from the interval's own width on the side of the limit.
        """
        if self.detectable is not None:
            return self.detectable(alpha)
        if self.at is None:
            return math.inf
        interval = self.at(LEVEL)
        reach = interval.high - self.estimate if downwards else self.estimate - interval.low
        error = reach / -normal_quantile(tail(LEVEL))
        return (normal_quantile(1 - alpha) + normal_quantile(POWER)) * error

    def _turned(self, limit: float, test: Callable[[float, At], float]) -> Significance:
        """The interval turned round; resampling cannot tell p-values below 1 / (draws + 1)."""
        if self.at is None:
            return Significance(1.0, None, "")
        at = self.at
        draws = at(LEVEL).draws
        least = 1 / (draws + 1) if draws else 0.0
        return Significance(max(least, test(limit, at)), None, "")

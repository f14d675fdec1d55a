"""Two models on the same rows: McNemar's tests and Newcombe's paired interval.

``Pairs`` counts rows by who was right. Its counts may be real numbers where rows are clustered (Rao & Scott 1992,
Biometrics 48:577: divide the counts by the design effect); McNemar's exact tests need whole ones.
"""

from __future__ import annotations

import math

from mlops_action.frozen import frozen
from mlops_action.statistics.distributions import binomial_cdf, binomial_pmf
from mlops_action.statistics.proportions import mover, wilson
from mlops_action.statistics.results import LEVEL, Interval, Significance


@frozen
class Pairs:
    """Rows by which of the two models was right: both, the candidate only, the baseline only, neither."""

    both: float
    candidate: float
    baseline: float
    neither: float

    @property
    def rows(self) -> float:
        """All rows."""
        return self.both + self.candidate + self.baseline + self.neither

    @property
    def difference(self) -> float:
        """Share right of the candidate less that of the baseline; NaN without rows."""
        return (self.candidate - self.baseline) / self.rows if self.rows else math.nan

    def divided(self, effect: float) -> Pairs:
        """The counts that ``effect`` times fewer independent rows would have."""
        return Pairs(self.both / effect, self.candidate / effect, self.baseline / effect, self.neither / effect)


def newcombe_paired(pairs: Pairs, level: float = LEVEL) -> Interval:
    """The difference of two paired proportions, candidate - baseline (Newcombe 1998, Stat Med 17:2635, method 10)."""
    if not pairs.rows:
        return Interval(-1.0, 1.0, level, "newcombe-paired")
    right, right_before = pairs.both + pairs.candidate, pairs.both + pairs.baseline
    ours, theirs = wilson(right, pairs.rows, level), wilson(right_before, pairs.rows, level)
    estimates = (right / pairs.rows, ours), (right_before / pairs.rows, theirs)
    return mover(*estimates, level, "newcombe-paired", _phi(pairs)).within(-1.0, 1.0)


def mcnemar_exact(pairs: Pairs) -> Significance:
    """McNemar's exact two-sided test that both are right equally often (McNemar 1947; binomial tails doubled)."""
    fewer, discordant = _discordant(pairs)
    return Significance(min(1.0, 2 * binomial_cdf(fewer, discordant)), None, "mcnemar-exact")


def mcnemar_mid_p(pairs: Pairs) -> Significance:
    """McNemar's mid-p test (Fagerland, Lydersen & Laake 2013, BMC Med Res Meth 13:91): nearer to its nominal size."""
    fewer, discordant = _discordant(pairs)
    p_value = 2 * binomial_cdf(fewer, discordant) - binomial_pmf(fewer, discordant)
    return Significance(min(1.0, p_value), None, "mcnemar-mid-p")


def mcnemar_worse(pairs: Pairs, *, mid: bool = False) -> Significance:
    """The one-sided test for blocking: small when the candidate is right less often than the baseline."""
    _discordant(pairs)
    won, discordant = int(pairs.candidate), int(pairs.candidate + pairs.baseline)
    p_value = binomial_cdf(won, discordant) - (binomial_pmf(won, discordant) / 2 if mid else 0)
    return Significance(min(1.0, p_value), None, "mcnemar-worse-mid-p" if mid else "mcnemar-worse-exact")


def _discordant(pairs: Pairs) -> tuple[int, int]:
    counts = pairs.candidate, pairs.baseline
    if not all(math.isfinite(count) and count >= 0 and count == int(count) for count in counts):
        raise ValueError(f"McNemar's exact tests need whole counts, not {counts}")
    return int(min(counts)), int(sum(counts))


def _phi(pairs: Pairs) -> float:
    """The correlation of being right, corrected for continuity where it is positive, as method 10 does."""
    excess = pairs.both * pairs.neither - pairs.candidate * pairs.baseline
    if excess > 0:
        excess = max(0.0, excess - pairs.rows / 2)
    right, right_before = pairs.both + pairs.candidate, pairs.both + pairs.baseline
    margins = right * (pairs.rows - right) * right_before * (pairs.rows - right_before)
    return excess / math.sqrt(margins) if margins > 0 else 0.0

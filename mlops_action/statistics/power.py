"""The smallest difference that a test would find: printed beside each verdict, and checked against the margin.

All are for a one-sided test at ``alpha`` (0.025 is a side of a 95 % interval) that finds it with probability ``power``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from mlops_action.statistics.distributions import normal_cdf, normal_quantile

ALPHA = 0.025
POWER = 0.8


def detectable_mean(variance: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Of a mean, AUC or difference whose estimate has this variance: (z_α + z_β) · standard error; NaN if unknown."""
    return (_z(alpha) + normal_quantile(power)) * math.sqrt(variance)


def detectable_paired(discordant: float, rows: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Of McNemar's test: the smallest difference of shares, given how often the models disagree.

    Connor's formula (1987, Biometrics 43:207), n = (z_α √ψ + z_β √(ψ - Δ²))² / Δ², solved for Δ; ψ = discordant / rows.
    Infinite when no difference that such disagreement allows would be found.
    """
    if not rows > 0:
        return math.inf
    psi = discordant / rows
    return _first(lambda delta: rows_for_paired(psi, delta, alpha, power) <= rows, psi)


def detectable_drop(share: float, candidate_rows: float, baseline_rows: float, alpha: float = ALPHA) -> float:
    """Of two independent proportions: the smallest drop from ``share`` found with 80 % power (Fleiss 1981, unpooled).

    Infinite when even a drop to 0 would not be found.
    """
    if not (candidate_rows > 0 and baseline_rows > 0):
        return math.inf
    before = share * (1 - share) / baseline_rows

    def missing(delta: float) -> float:
        after = share - delta
        pooled = (share * baseline_rows + after * candidate_rows) / (baseline_rows + candidate_rows)
        under_null = math.sqrt(pooled * (1 - pooled) * (1 / baseline_rows + 1 / candidate_rows))
        return _z(alpha) * under_null + normal_quantile(POWER) * math.sqrt(
            before + after * (1 - after) / candidate_rows
        )

    return _first(lambda delta: delta >= missing(delta), share)


def detectable_from(share: float, rows: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Of one proportion against a limit: how far below the limit ``share`` it must be to be found."""
    if not rows > 0:
        return math.inf
    first, second = _z(alpha), normal_quantile(power)

    def missing(delta: float) -> float:
        after = share - delta
        return (first * math.sqrt(share * (1 - share)) + second * math.sqrt(after * (1 - after))) / math.sqrt(rows)

    return _first(lambda delta: delta >= missing(delta), share)


def rows_for_paired(discordant_share: float, difference: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Rows that McNemar's test needs to find ``difference`` (Connor 1987); infinite for none."""
    if not 0 < difference <= discordant_share:
        return math.inf
    spread = math.sqrt(discordant_share - difference * difference)
    return ((_z(alpha) * math.sqrt(discordant_share) + normal_quantile(power) * spread) / difference) ** 2


def paired_power(discordant_share: float, difference: float, rows: float, alpha: float = ALPHA) -> float:
    """The probability that McNemar's test finds ``difference`` on ``rows`` rows (Connor 1987, solved for the power)."""
    spread = math.sqrt(max(0.0, discordant_share - difference * difference))
    excess = math.sqrt(rows) * difference - _z(alpha) * math.sqrt(discordant_share)
    return normal_cdf(excess / spread) if spread else float(excess > 0)


def _z(alpha: float) -> float:
    return normal_quantile(1 - alpha)


def _first(found: Callable[[float], bool], most: float) -> float:
    """The smallest difference up to ``most`` from which on it would be found, by bisection; infinite if none."""
    if not most > 0 or not found(most):
        return math.inf
    low, high = 0.0, most
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high

"""Many tests at once: adjusted p-values."""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (Holm 1979, Scand J Stat 6:65): the chance of one false block in the family is bounded.

    Raises:
        ValueError: a p-value is not between 0 and 1; NaN is not "not significant".
    """
    order, count = _ascending(p_values), len(p_values)
    adjusted, highest = [0.0] * count, 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (count - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of Benjamini & Hochberg (1995, JRSS B 57:289): for reports; bounds the share of false alarms.

    Raises:
        ValueError: a p-value is not between 0 and 1.
    """
    order, count = _ascending(p_values), len(p_values)
    adjusted, lowest = [0.0] * count, 1.0
    for place in range(count, 0, -1):
        index = order[place - 1]
        lowest = min(lowest, p_values[index] * count / place)
        adjusted[index] = lowest
    return adjusted


def _ascending(p_values: Sequence[float]) -> list[int]:
    bad = [p for p in p_values if math.isnan(p) or not 0 <= p <= 1]
    if bad:
        raise ValueError(f"{bad[0]} is not a p-value")
    return sorted(range(len(p_values)), key=p_values.__getitem__)

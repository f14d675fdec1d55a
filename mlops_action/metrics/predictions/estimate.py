"""A metric of a slice: a value with its interval, or ``undefined`` with the denominator that was 0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops_action.statistics.results import Interval

UNDEFINED = "undefined"


@dataclass(frozen=True)
class Estimate:
    """What is known of one metric on one slice.

    ``value`` is None where the metric is undefined; it is never 0 or NaN then. ``denominator`` is what it was divided
    by (rows, positives, …), and ``counted`` says what that is.
    """

    value: float | None
    denominator: float
    counted: str
    interval: Interval | None = None

    def __str__(self) -> str:
        """The value, or that it is undefined and why."""
        if self.value is None:
            return f"{UNDEFINED} ({self.counted}: {self.denominator:g})"
        return f"{self.value:.6g}"


@dataclass(frozen=True)
class SliceMetrics:
    """All metrics of one slice; ``name`` is empty for all rows, else ``country=NO`` or ``country=NO & device=tv``."""

    name: str
    rows: int
    metrics: Mapping[str, Estimate]
    counts: Mapping[str, float] = field(default_factory=dict)


def ratio(numerator: float, denominator: float, counted: str, interval: Interval | None = None) -> Estimate:
    """A quotient, undefined where the denominator is 0."""
    if not denominator > 0:
        return Estimate(None, denominator, counted)
    return Estimate(numerator / denominator, denominator, counted, interval)


def known(value: float, denominator: float, counted: str, interval: Interval | None = None) -> Estimate:
    """A value that is undefined where it is not finite."""
    if not math.isfinite(value):
        return Estimate(None, denominator, counted)
    return Estimate(value, denominator, counted, interval)

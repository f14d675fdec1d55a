"""A metric of a slice: a value with its interval, or ``undefined`` with the denominator that was 0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property

from mlops_action.frozen import frozen
from mlops_action.statistics.proportions import wilson
from mlops_action.statistics.results import LEVEL, At, Interval

UNDEFINED = "undefined"


@frozen
class Estimate:
    """What is known of one metric on one slice.

    ``value`` is None where the metric is undefined; it is never 0 or NaN then. ``denominator`` is what it was divided
    by (rows, positives, …), and ``counted`` says what that is. ``at`` is its interval at any level, None without one.
    """

    value: float | None
    denominator: float
    counted: str
    at: At | None = field(default=None, compare=False, repr=False)
    level: float = LEVEL

    @cached_property
    def interval(self) -> Interval | None:
        """The interval at the level that was asked for; not computed before."""
        return self.at(self.level) if self.at is not None else None

    def __str__(self) -> str:
        """The value, or that it is undefined and why."""
        if self.value is None:
            return f"{UNDEFINED} ({self.counted}: {self.denominator:g})"
        return f"{self.value:.6g}"


@frozen
class SliceMetrics:
    """All metrics of one slice; ``name`` is empty for all rows, else ``country=NO`` or ``country=NO & device=tv``."""

    name: str
    rows: int
    metrics: Mapping[str, Estimate]
    counts: Mapping[str, float] = field(default_factory=dict)


def share_of(hits: float, of: float, counted: str, level: float = LEVEL) -> Estimate:
    """A proportion with Wilson's interval, undefined where the denominator is 0."""
    if not of > 0:
        return Estimate(None, of, counted)
    return Estimate(hits / of, of, counted, lambda at: wilson(hits, of, at), level)


def ratio(numerator: float, denominator: float, counted: str, at: At | None = None, level: float = LEVEL) -> Estimate:
    """A quotient, undefined where the denominator is 0."""
    if not denominator > 0:
        return Estimate(None, denominator, counted)
    return Estimate(numerator / denominator, denominator, counted, at, level)


def known(value: float, denominator: float, counted: str, at: At | None = None, level: float = LEVEL) -> Estimate:
    """A value that is undefined where it is not finite."""
    if not math.isfinite(value):
        return Estimate(None, denominator, counted)
    return Estimate(value, denominator, counted, at, level)

"""How sure a verdict is: what rows of data say about the quantity that a gate judges."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.records.base import Number, documented
from mlops_action.vocabulary import Outcome


@frozen
class Evidence:
    """An interval, and how likely data as these are when the limit is held."""

    quantity: str = documented("What was estimated: `value`, `difference` to the baseline, `gap` or `ratio` of groups.")
    level: Number = documented("Confidence level of the interval.")
    method: str = documented("Method of the interval; docs/statistics.md has its source.")
    rows: int = documented("Rows that it was estimated from.")
    estimate: Number | None = documented("The estimate; a difference is candidate - baseline.", default=None)
    low: Number | None = documented("Lower end of the interval; null when it has none.", default=None)
    high: Number | None = documented("Upper end of the interval; null when it has none.", default=None)
    p_value: Number | None = documented('One-sided p-value of "the limit is broken".', default=None)
    test: str = documented("Test that the p-value is of, where it is not the interval turned round.", default="")
    adjusted: Number | None = documented("The p-value, corrected for all tests of its family.", default=None)
    correction: str = documented("`holm` over all gates that block, `benjamini-hochberg` over the others.", default="")
    family: int = documented("How many tests the family holds.", default=0)
    detectable: Number | None = documented(
        "Smallest distance to the limit that such rows would show with 80 % power; null when none would.", default=None
    )
    seed: int | None = documented("Seed of the random numbers, where the method draws some.", default=None)


@frozen
class Part:
    """One of several things that a gate judges: a slice, a pair of groups, one of several readings."""

    name: str = documented("Name of the slice (`country=NO`; empty for all rows), of the groups, or of the reading.")
    outcome: Outcome = documented("What the gate says of this part.")
    message: str = documented("The grounds, in one line with the figures.", default="")
    value: Number | None = documented("Candidate's value.", default=None)
    baseline_value: Number | None = documented("Baseline's value.", default=None)
    origin: str = documented("Where the value was read.", default="")
    counted: bool = documented(
        "False where the policy says that it does not count, such as a slice of few rows.", default=True
    )
    evidence: Evidence | None = documented("How sure it is, where rows tell.", default=None)

"""The keys of a policy: gates, and what they compare with."""

from __future__ import annotations

from dataclasses import dataclass as record
from decimal import Decimal
from enum import StrEnum

from mlops_action.config.keys import AMOUNT_SCHEMA, NUMBER_SCHEMA, RANGE_SCHEMA, key
from mlops_action.config.values import Amount, amount, finite, number_range


class Severity(StrEnum):
    """What a gate that does not pass does to the merge."""

    BLOCK = "block"
    WARN = "warn"


class Direction(StrEnum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"


@record(frozen=True)
class GateSpec:
    """One rule on one metric. Exactly one of `min`, `max`, `range`, `equals`, `max-drop`, `min-gain`."""

    metric: str = key("Name of the metric; nested names are joined by dots.", "accuracy")
    min: Decimal | None = key(
        "Lowest value that passes (inclusive).", 0.95, default=None, parse=finite, schema=NUMBER_SCHEMA
    )
    max: Decimal | None = key(
        "Highest value that passes (inclusive).", 0.05, default=None, parse=finite, schema=NUMBER_SCHEMA
    )
    range: tuple[Decimal, Decimal] | None = key(
        "Lowest and highest value that pass (inclusive).",
        [150, 200],
        default=None,
        parse=number_range,
        schema=RANGE_SCHEMA,
    )
    equals: Decimal | None = key(
        "The value that passes, give or take `tolerance`.", 171, default=None, parse=finite, schema=NUMBER_SCHEMA
    )
    tolerance: Amount | None = key(
        "For `equals`: how far off the value may be: `0.01`, `1%`, or `{absolute: 0.01, relative: 1%}` "
        "(both must hold). Exact by default.",
        0.001,
        default=None,
        parse=amount,
        schema=AMOUNT_SCHEMA,
    )
    max_drop: Amount | None = key(
        "How much worse than the baseline the value may be, in the metric's direction: `0.005`, `1%` of the "
        "baseline's size, or `{absolute: 0.005, relative: 1%}` (both must hold).",
        0.005,
        default=None,
        parse=amount,
        schema=AMOUNT_SCHEMA,
    )
    min_gain: Amount | None = key(
        "How much better than the baseline the value must be, in the metric's direction; same notation.",
        "2%",
        default=None,
        parse=amount,
        schema=AMOUNT_SCHEMA,
    )
    direction: Direction | None = key(
        "Which way the metric is better. Known for the usual names (accuracy, loss, rmse, ...), "
        "needed for others by `max-drop` and `min-gain`.",
        "higher",
        default=None,
    )
    baseline: str = key(
        "Metric file to compare with, for this gate only; see `baseline` at the top level.",
        "git::metrics/accepted.json",
        default="",
    )
    slice: str = key("Slice of the data that the gate judges; all of it by default.", "country=NO", default="")
    severity: Severity = key(
        "`block`: the merge is blocked unless the gate passes. `warn`: it is only reported.",
        "warn",
        default=Severity.BLOCK,
    )


BASELINE_DOC = (
    "Metric file that `max-drop` and `min-gain` compare with: a path, or `git:REF:PATH` for the file as it was "
    "committed at a branch, tag or commit. With an empty REF (`git::PATH`) it is the merge-base with the target "
    "branch, or on the target branch itself the commit before. PATH is relative to the project folder."
)


@record(frozen=True)
class PolicySpec:
    """A policy file: gates, and what they compare with."""

    gates: dict[str, GateSpec] = key("The gates, by name.")
    baseline: str = key(BASELINE_DOC, "git::metrics/accepted.json", default="")

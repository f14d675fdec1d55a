"""The keys of a policy: gates, and what they compare with."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from mlops_action.config.expression import expression_text
from mlops_action.config.history_model import HistoryThresholdSpec
from mlops_action.config.keys import AMOUNT_SCHEMA, COUNT_SCHEMA, NUMBER_SCHEMA, RANGE_SCHEMA, SHARE_SCHEMA, key, texts
from mlops_action.config.predictions_model import PredictionsSpec
from mlops_action.config.values import Amount, amount, confidence, count, finite, number_range
from mlops_action.config.waiver_model import PolicyGuard, longest_waiver_key, policy_guard_key, waivers_key
from mlops_action.frozen import frozen
from mlops_action.vocabulary import Prove


class Severity(StrEnum):
    """What a gate that does not pass does to the merge."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class Otherwise(StrEnum):
    """What a gate says when it cannot be judged. It never says `pass`."""

    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    WARN = "warn"


class SmallSlices(StrEnum):
    """What slices that are too small to judge do to a gate."""

    INCONCLUSIVE = "inconclusive"
    NAME = "name"


class Direction(StrEnum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"


@frozen
class GatePart:
    """One rule on one metric, alone or in a combination."""

    metric: str = key(
        "The metric: its name, where nested names are joined by dots; a JSON Pointer into its file (`#/test/auc`, "
        "`metrics.json#/test/auc`); or a pattern (`test.*.auc`), which judges every metric that matches.",
        "accuracy",
        default="",
    )
    expression: str = key(
        "Arithmetic over metrics, judged in place of one: `+ - * /`, parentheses, `abs`, `min`, `max`. A name that is "
        "no identifier stands in quotes, a slice in brackets.",
        'recall["country=NO"] - recall["country=SE"]',
        default="",
        parse=expression_text,
        schema={"type": "string"},
    )
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
    max_gain: Amount | None = key(
        "How much better than the baseline the value may be, same notation: a gain that is too good to be true is "
        "often a leak.",
        0.1,
        default=None,
        parse=amount,
        schema=AMOUNT_SCHEMA,
    )
    ratchet: Amount | None = key(
        "How much worse than the best of the `history` the value may be, same notation. Without a margin, a model that "
        "is as good as the last ones is below the best of 20 in 19 of 20 merges.",
        0.005,
        default=None,
        parse=amount,
        schema=AMOUNT_SCHEMA,
    )
    history_threshold: HistoryThresholdSpec | None = key(
        "Limits made from the values of the `history`.",
        {"test": "t-test", "upper-boundary": 0.98},
        default=None,
    )
    history: str = key(
        "File of earlier runs that `ratchet` and `history-threshold` look at, one JSON object in each line "
        "(`mlops-action history` adds one); the same notation as `baseline`.",
        "git::metrics/history.jsonl",
        default="",
    )
    direction: Direction | None = key(
        "Which way the metric is better. Known for the usual names (accuracy, loss, rmse, ...), "
        "needed for others by rules that compare.",
        "higher",
        default=None,
    )
    baseline: str = key(
        "What to compare with, for this gate only; see `baseline` at the top level.",
        "git::metrics/accepted.json",
        default="",
    )
    slice: str = key(
        "Slice of the data that the gate judges; all of it by default. A pattern (`country=*`) judges every slice that "
        "matches.",
        "country=NO",
        default="",
    )


@frozen
class GateSpec(GatePart):
    """One rule on one metric, or several rules together."""

    all: tuple[GatePart, ...] | None = key(
        "Rules that must all pass, each with its own `metric`, rule, `slice`, `direction` and `baseline`.",
        [{"metric": "precision", "min": 0.9}, {"metric": "recall", "min": 0.8}],
        default=None,
    )
    any: tuple[GatePart, ...] | None = key(
        "Rules of which one must pass.",
        [{"metric": "accuracy", "min": 0.95}, {"metric": "roc_auc", "min": 0.98}],
        default=None,
    )
    at_least: int | None = key(
        "How many of the rules in `of` must pass.", 2, default=None, parse=count, schema=COUNT_SCHEMA
    )
    of: tuple[GatePart, ...] = key("The rules that `at-least` counts.", [{"metric": "f1", "min": 0.8}], default=())
    predictions: str = key(
        "Compute the metric from this file of predictions (a name under `predictions`), with an interval.",
        "test",
        default="",
    )
    slices: tuple[str, ...] = texts(
        "With `predictions`: judge every slice of these columns (`country`, `country & device`), or of `all` that "
        "`predictions` names. The verdict is the worst one's.",
        "all",
    )
    groups: str = key("With `max-gap` and `min-ratio`: the column whose values are compared.", "gender", default="")
    max_gap: Decimal | None = key(
        "Largest difference of the metric between any two `groups`.",
        0.05,
        default=None,
        parse=finite,
        schema=NUMBER_SCHEMA,
    )
    min_ratio: Decimal | None = key(
        "Smallest ratio of the metric between any two `groups`.", 0.8, default=None, parse=finite, schema=NUMBER_SCHEMA
    )
    prove: Prove | None = key(
        "With `predictions`: what the interval must prove. `pass`: the gate passes only when it lies within the limit, "
        "fails when it lies beyond, and is inconclusive between (default). `fail`: it fails only when it is "
        "proven, over all gates and slices together, that the limit is broken (default with `slices`). `none`: the "
        "value alone decides.",
        "fail",
        default=None,
    )
    confidence: Decimal = key(
        "Confidence level of the interval; half of what is missing to 1 may go wrong on each side.",
        "95%",
        default=Decimal("0.95"),
        parse=confidence,
        schema=SHARE_SCHEMA,
    )
    min_n: int = key(
        "Fewest rows of a slice (or group) that can be judged.", 100, default=30, parse=count, schema=COUNT_SCHEMA
    )
    min_positives: int | None = key(
        "Fewest positives of a slice that can be judged (`binary`); 10 by default for metrics that depend on them.",
        10,
        default=None,
        parse=count,
        schema=COUNT_SCHEMA,
    )
    min_negatives: int | None = key(
        "Fewest negatives of a slice that can be judged (`binary`); 10 by default for metrics that depend on them.",
        10,
        default=None,
        parse=count,
        schema=COUNT_SCHEMA,
    )
    small_slices: SmallSlices = key(
        "What smaller slices do: they make the gate `inconclusive`, or the report only `name`s them.",
        "name",
        default=SmallSlices.INCONCLUSIVE,
    )
    severity: Severity = key(
        "`block`: the merge is blocked unless the gate passes. `warn`: the verdict becomes `warn` instead. `info`: it "
        "is reported, and the verdict does not heed it.",
        "warn",
        default=Severity.BLOCK,
    )
    on_missing: Otherwise = key(
        "What the gate says when its metric, its slice, or its baseline's file is not there: `inconclusive` (blocks), "
        "`fail` or `warn`. What is broken or ambiguous stays `inconclusive`.",
        "warn",
        default=Otherwise.INCONCLUSIVE,
    )
    on_undefined: Otherwise = key(
        "What the gate says when its value is NaN, infinite or no number, or when the comparison is undefined (a "
        "share of 0).",
        "fail",
        default=Otherwise.INCONCLUSIVE,
    )
    on_inconclusive: Otherwise = key(
        "What the gate says when the data is too little to tell.", "warn", default=Otherwise.INCONCLUSIVE
    )


PREDICTIONS_DOC = "Files of predictions that gates compute metrics from, by name."
BASELINE_DOC = (
    "What `max-drop`, `min-gain` and `max-gain` compare with: the path of a metric file, of a `manifest.json`, or of a "
    "folder with an earlier run's results; `git:REF:PATH` for a file as it was committed at a branch, tag or commit; "
    "or `runs:/RUN_ID`, `models:/NAME@ALIAS`, `models:/NAME/VERSION` of the MLflow server in `MLFLOW_TRACKING_URI`. "
    "With an empty REF (`git::PATH`) it is the merge-base with the target branch, or on the target branch itself the "
    "commit before. PATH is relative to the project folder."
)


@frozen
class PolicySpec:
    """A policy file: gates, and what they compare with."""

    gates: dict[str, GateSpec] = key("The gates, by name.")
    baseline: str = key(BASELINE_DOC, "git::metrics/accepted.json", default="")
    predictions: dict[str, PredictionsSpec] = key(PREDICTIONS_DOC, default_factory=dict)
    waivers: str = waivers_key()
    longest_waiver: int = longest_waiver_key()
    policy_guard: PolicyGuard | None = policy_guard_key()

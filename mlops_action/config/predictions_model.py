"""The keys of a file of predictions in a policy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mlops_action.config.keys import NUMBER_SCHEMA, SHARE_SCHEMA, key, texts
from mlops_action.config.values import finite, portion, text_list
from mlops_action.frozen import frozen
from mlops_action.vocabulary import Task


def _label(value: Any) -> Any:
    """A label as a file holds it.

    Raises:
        ValueError: a list, a mapping or nothing.
    """
    if not isinstance(value, (str, int, float, bool)):
        raise ValueError("expected a label: text, a number, true or false")
    return float(value) if isinstance(value, float) else value


def _expected(value: Any) -> dict[str, tuple[str, ...]]:
    """Values of slice columns, as text.

    Raises:
        ValueError: no mapping of columns to lists.
    """
    if not isinstance(value, dict):
        raise ValueError("expected a mapping of slice columns to lists of their values")
    return {
        str(column): text_list([_text(each) for each in values] if isinstance(values, (list, tuple)) else values)
        for column, values in value.items()
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "written", value))


@frozen
class PredictionsSpec:
    """A file with a row for each prediction. Needs the extra `data`."""

    file: str = key("Parquet, CSV, Arrow or JSON Lines file, relative to the project folder.", "out/test.parquet")
    task: Task = key("What is predicted.", "binary")
    baseline: str = key(
        "The same of the model to compare with, for `max-drop`, `min-gain` and `max-gain`; notation as `baseline` at "
        "the top level. With `id` the models are compared row by row, on the rows that both files hold.",
        "git::out/accepted.parquet",
        default="",
    )
    label: str = key("Column of the truth (of the relevance for `ranking`).", "label", default="label")
    score: str = key(
        "Column of the score or probability of the positive class, or of the ranking.", "score", default=""
    )
    prediction: str = key(
        "Column of the predicted class or number. Without it `score` and `threshold`, or the best of `scores`, decide.",
        "prediction",
        default="",
    )
    scores: dict[str, str] = key(
        "Columns of probabilities, by class (`multiclass`) or label (`multilabel`).",
        {"cat": "p_cat", "dog": "p_dog"},
        default_factory=dict,
    )
    labels: dict[str, str] = key(
        "Columns of truths, by label (`multilabel`).", {"urgent": "is_urgent"}, default_factory=dict
    )
    min_coverage: Decimal = key(
        "Smallest share of the baseline's rows that the candidate's file must hold, by `id`, for a comparison: a "
        "candidate cannot look better by leaving out rows.",
        "100%",
        default=Decimal("0.9"),
        parse=portion,
        schema=SHARE_SCHEMA,
    )
    weight: str = key("Column of row weights.", "weight", default="")
    id: str = key("Column that identifies a row, once. Models are compared row by row by it.", "row_id", default="")
    cluster: str = key(
        "Column of what rows share, when they are not independent: intervals become as wide as they should.",
        "user_id",
        default="",
    )
    query: str = key("Column of the query that a row belongs to (`ranking`).", "query", default="")
    slices: tuple[str, ...] = texts(
        "Columns whose every value is a slice; `country & device` are their combinations.",
        ["country", "country & device"],
    )
    expected: dict[str, tuple[str, ...]] = key(
        "Values that slice columns must have: one that is missing is named and makes the gates on it inconclusive, one "
        "that is not listed is named.",
        {"country": ["NO", "SE"]},
        default_factory=dict,
        parse=_expected,
        schema={"type": "object", "additionalProperties": {"type": "array"}},
    )
    positive: Any = key("Label of the positive class (`binary`, `multilabel`).", 1, default=1, parse=_label, schema={})
    threshold: Decimal | None = key(
        "Score from which on the positive class is predicted (0.5 unless given); of `regression` the quantile of its "
        "quantile loss.",
        0.5,
        default=None,
        parse=finite,
        schema=NUMBER_SCHEMA,
    )
    calibration: bool = key(
        "Also compute `ece`, `calibration_intercept` and `calibration_slope` (`binary`).", True, default=False
    )

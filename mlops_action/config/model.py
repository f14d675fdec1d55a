"""``mlops.yaml``: one field is one key, with its doc, default and example.

From here ``make gen`` writes the schemas, the docs and the checks of the loader; a test
fails when they drift. A field ``max_drop`` is the key ``max-drop``.
"""

from __future__ import annotations

from dataclasses import dataclass as record
from dataclasses import field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mlops_action.config.values import Amount, amount, duration, finite, number_range, text_list

AMOUNT_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                "absolute": {"type": "number", "minimum": 0},
                "relative": {
                    "anyOf": [
                        {"type": "number", "minimum": 0},
                        {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"},
                    ]
                },
            },
        },
    ]
}
DURATION_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^([0-9]+[hms]?)+$"}]}
NUMBER_SCHEMA = {"type": "number"}
RANGE_SCHEMA = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}


def key(doc: str, example: Any = None, **options: Any) -> Any:
    """Declare a key. ``parse`` and ``schema`` go to the loader and the JSON Schema."""
    metadata = {"doc": doc, "example": example}
    for extra in ("parse", "schema"):
        if extra in options:
            metadata[extra] = options.pop(extra)
    return field(metadata=metadata, **options)


def texts(doc: str, example: Any = None) -> Any:
    """Declare a key that holds a list of texts, or one text."""
    one_or_more = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    return key(doc, example, default=(), parse=text_list, schema=one_or_more)


class Severity(StrEnum):
    """What a gate that does not pass does to the merge."""

    BLOCK = "block"
    WARN = "warn"


class Direction(StrEnum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"


@record(frozen=True)
class EnvironmentSpec:
    """Where kernels run and what they see of the environment."""

    kernel: str = key(
        "Jupyter kernel of every step that names none. A notebook's own kernelspec comes first "
        "when this is left out; a snippet then runs in `python3`.",
        "python3",
        default="",
    )
    python: str = key(
        "Python interpreter (path, or a name on PATH) whose `share/jupyter/kernels` is searched first. "
        "By default the active virtual environment, then mlops-action's own, then `python3` on PATH.",
        ".venv/bin/python",
        default="",
    )
    pass_: tuple[str, ...] = texts(
        "Names of environment variables that kernels may see, besides a short list of harmless ones "
        "(PATH, HOME, LANG, ...). A trailing `*` stands for any ending. Nothing else reaches a notebook.",
        ["OMP_NUM_THREADS", "MLFLOW_*"],
    )
    set: dict[str, str] = key(
        "Environment variables to set for kernels.", {"PYTHONHASHSEED": "0"}, default_factory=dict
    )


@record(frozen=True)
class CellsSpec:
    """Which cells of a notebook run. All conditions that are given must hold."""

    tags: tuple[str, ...] = texts("Only code cells that carry one of these tags.", ["train"])
    skip_tags: tuple[str, ...] = texts("Leave out cells that carry one of these tags.", ["exploration"])
    ids: tuple[str, ...] = texts("Only the cells with these ids.", ["load-data"])
    index: str = key("Only the cells at these places, counted from 0.", "0-3,7", default="")


@record(frozen=True)
class StepSpec:
    """One unit that runs in a kernel of its own: a notebook, chosen cells of one, or a snippet."""

    notebook: str = key("Path of the notebook.", "notebooks/train.ipynb", default="")
    code: str = key("Source of a snippet to run instead of a notebook.", "print('hello')", default="")
    cells: CellsSpec = key("Which cells of the notebook run; all of them by default.", default=CellsSpec())
    kernel: str = key(
        "Jupyter kernel; by default `environment.kernel`, else the notebook's own, else `python3`.", "ir", default=""
    )
    parameters: dict[str, Any] = key(
        "Values that are injected after the cell tagged `parameters` (at the top when there is none).",
        {"learning_rate": 0.1},
        default_factory=dict,
    )
    needs: tuple[str, ...] = texts("Steps that must end well before this one starts.", ["prepare"])
    inputs: tuple[str, ...] = texts(
        "Files or patterns that the step reads. They must exist when it starts; their digests are recorded.",
        ["data/*.csv"],
    )
    outputs: tuple[str, ...] = texts(
        "Files or patterns that the step writes. One that is missing afterwards fails the step.",
        ["model/model.joblib"],
    )
    metrics: tuple[str, ...] = texts(
        "JSON or CSV files with metrics that the step writes. A file that the step does not write "
        "(left over from an earlier run) fails it.",
        ["metrics.json"],
    )
    timeout: int = key("Longest time that the step may take.", "20m", default=0, parse=duration, schema=DURATION_SCHEMA)


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


@record(frozen=True)
class ManifestSpec:
    """What the manifest records besides the run itself."""

    data: tuple[str, ...] = texts("Further files or patterns to record by digest.", ["data/raw/*.parquet"])
    environment_variables: tuple[str, ...] = texts(
        "Names of environment variables whose values are recorded. No value is recorded otherwise.",
        ["OMP_NUM_THREADS"],
    )


@record(frozen=True)
class PipelineSpec:
    """The project's `mlops.yaml`: environment, steps, gates, manifest."""

    version: int = key("Version of this format.", 1, default=1, schema={"const": 1})
    environment: EnvironmentSpec = key("Where kernels run and what they see.", default=EnvironmentSpec())
    steps: dict[str, StepSpec] = key("The steps, by name. Their order is made from `needs`.", default_factory=dict)
    baseline: str = key(BASELINE_DOC, "git::metrics/accepted.json", default="")
    gates: dict[str, GateSpec] | str = key(
        "The gates, by name; or the path of a policy file that holds them; or `none` to run without judging.",
        "gates.yaml",
        default_factory=dict,
    )
    manifest: ManifestSpec = key("What the manifest records besides the run.", default=ManifestSpec())

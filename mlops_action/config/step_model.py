"""The keys of a step."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from mlops_action.config.keys import AMOUNT_SCHEMA, DURATION_SCHEMA, NUMBER_SCHEMA, SIZE_SCHEMA, key, texts
from mlops_action.config.matrix import MATRIX_SCHEMA, Matrix, matrix
from mlops_action.config.values import Amount, amount, duration, finite, size
from mlops_action.frozen import frozen


class RetryOn(StrEnum):
    """Failures after which a step may be tried again."""

    KERNEL_DIED = "kernel-died"
    KERNEL_START = "kernel-start"
    TIMED_OUT = "timed-out"
    RAISED = "raised"


class UnknownParameters(StrEnum):
    """What becomes of a parameter that the notebook's `parameters` cell does not have."""

    REFUSE = "refuse"
    ALLOW = "allow"


@frozen
class CellsSpec:
    """Which cells of a notebook run. All conditions that are given must hold."""

    tags: tuple[str, ...] = texts("Only code cells that carry one of these tags.", ["train"])
    skip_tags: tuple[str, ...] = texts("Leave out cells that carry one of these tags.", ["exploration"])
    ids: tuple[str, ...] = texts("Only the cells with these ids.", ["load-data"])
    names: tuple[str, ...] = texts("Only the cells with these names (`name` in the cell's metadata).", ["fit"])
    headings: tuple[str, ...] = texts("Only the cells under these Markdown headings.", ["Training"])
    matching: str = key("Only the cells whose source matches this regular expression.", "^model\\.", default="")
    index: str = key("Only the cells at these places, counted from 0.", "0-3,7", default="")


@frozen
class RetrySpec:
    """When a step is tried again. Nothing is tried again that is not named here."""

    on: tuple[RetryOn, ...] = key("Failures after which it is tried again.", ["kernel-died", "timed-out"])
    times: int = key("How many more times.", 2, default=1)


@frozen
class CompareSpec:
    """Compares the outputs of a run with those that are saved in the notebook."""

    tolerance: Amount | None = key(
        "How far off numbers in texts may be; equal as written by default.",
        "1%",
        default=None,
        parse=amount,
        schema=AMOUNT_SCHEMA,
    )
    images: Decimal | None = key(
        "Mean difference of the pixels that images may have, from 0 to 1; equal bytes by default.",
        0.01,
        default=None,
        parse=finite,
        schema=NUMBER_SCHEMA,
    )
    skip_tags: tuple[str, ...] = texts("Leave out cells that carry one of these tags.", ["timing"])
    ignore: tuple[str, ...] = texts("Regular expressions; what they match does not count.", [r"0x[0-9a-f]+"])
    ignore_outputs: tuple[str, ...] = texts("Kinds of output that do not count.", ["stderr"])


@frozen
class StepSpec:
    """One unit that runs in a kernel of its own: a notebook, chosen cells of one, a snippet or a code file."""

    notebook: str = key("Path of the notebook.", "notebooks/train.ipynb", default="")
    code: str = key("Source of a snippet to run instead of a notebook.", "print('hello')", default="")
    file: str = key("Code file to run as one cell, in the step's kernel.", "scripts/report.R", default="")
    cells: CellsSpec = key("Which cells of the notebook run; all of them by default.", default=CellsSpec())
    kernel: str = key(
        "Jupyter kernel; by default `environment.kernel`, else the notebook's own, else `python3`.", "ir", default=""
    )
    environment: str = key(
        "Name of one of the `environments` to run in, in the place of `environment`.", "old", default=""
    )
    parameters: dict[str, Any] = key(
        "Values that are injected after the cell tagged `parameters` (at the top when there is none). "
        "`{secret: NAME}` takes the value from that environment variable and keeps it out of every file and log; "
        "`${{ steps.train.values.accuracy }}` is a value that an earlier step recorded.",
        {"learning_rate": 0.1, "api_key": {"secret": "MY_API_KEY"}},
        default_factory=dict,
    )
    parameters_file: str = key(
        "YAML or JSON file with more parameters; those under `parameters` win.", "params.yaml", default=""
    )
    unknown_parameters: UnknownParameters = key(
        "What becomes of a parameter that the notebook's `parameters` cell does not have, or has with another type: "
        "`refuse` or `allow`.",
        "allow",
        default=UnknownParameters.REFUSE,
    )
    matrix: Matrix = key(
        "Runs the step once for each combination of these parameters; `include` adds to combinations or adds new "
        "ones, `exclude` leaves some out. Readings of each run carry the combination as their slice.",
        {"depth": [3, 5], "exclude": [{"depth": 5}]},
        default=Matrix(),
        parse=matrix,
        schema=MATRIX_SCHEMA,
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
        "Files with metrics that the step writes, or patterns for them: JSON, YAML, TOML, CSV, JSON Lines, JUnit, "
        "OpenMetrics, notebooks, results of evaluation tools (docs/gates.md). A file that the step does not write "
        "(left over from an earlier run) fails it; one that only matches a pattern is left out.",
        ["metrics.json"],
    )
    timeout: int = key("Longest time that the step may take.", "20m", default=0, parse=duration, schema=DURATION_SCHEMA)
    cell_timeout: int = key(
        "Longest time that one cell may take.", "5m", default=0, parse=duration, schema=DURATION_SCHEMA
    )
    retry: RetrySpec | None = key("When the step is tried again.", {"on": ["kernel-died"], "times": 2}, default=None)
    allow_errors: bool = key(
        "Go on after a cell that raises. A single cell may raise when it is tagged `raises-exception`.",
        True,
        default=False,
    )
    max_output: int = key(
        "Most bytes of output that are kept of one cell; the cut is marked.",
        "1MiB",
        default=50 * 1024 * 1024,
        parse=size,
        schema=SIZE_SCHEMA,
    )
    max_notebook_output: int = key(
        "Most bytes of output that are kept of all cells together.",
        "20MiB",
        default=100 * 1024 * 1024,
        parse=size,
        schema=SIZE_SCHEMA,
    )
    memory: int = key(
        "Memory that the step needs; with `--jobs` steps only start together when there is enough.",
        "4GiB",
        default=0,
        parse=size,
        schema=SIZE_SCHEMA,
    )
    compare: CompareSpec | None = key(
        "Fail the step when its outputs differ from those saved in the notebook.", {"tolerance": "1%"}, default=None
    )
    deterministic: bool = key(
        "Write the executed notebook without times, so that equal runs give equal bytes.", True, default=False
    )
    cache: bool = key(
        "Do not run the step again while its code, parameters, inputs, kernel and environment are unchanged. "
        "Only for steps that read nothing but their `inputs`.",
        True,
        default=False,
    )

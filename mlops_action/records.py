"""What flows from stage to stage. Each record is also a JSON document with a schema.

Specs come from ``config/model.py``; from there on: ``Plan`` → ``RunResult`` → ``Verdicts``
→ ``Manifest``. Fields carry their doc as metadata, from which the schemas are made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mlops_action.vocabulary import FailureKind, Outcome, StepStatus

Number = Decimal
"""Exact; in JSON a number when a double holds it exactly, else a string."""

Json = Any
"""A JSON value."""


def documented(doc: str, **options: Any) -> Any:
    """Declare a dataclass field together with the sentence that documents it."""
    return field(metadata={"doc": doc}, **options)


@dataclass(frozen=True)
class FileState:
    """A file as it was at one moment."""

    path: str = documented("Path relative to the project folder, with forward slashes.")
    size: int = documented("Bytes.")
    sha256: str = documented("Hex SHA-256 of the bytes; empty where only the size was asked for.", default="")


@dataclass(frozen=True)
class MetricReading:
    """One number, and where it was read."""

    name: str = documented("Name of the metric; nested names are joined by dots.")
    value: Number | None = documented("The value; null when there is none (text, null).")
    origin: str = documented("File and JSON pointer, or notebook and cell, that it was read from.")
    step: str = documented("Step that produced it, or empty.", default="")
    slice: str = documented("Slice of the data that it was measured on, or empty for all of it.", default="")


@dataclass(frozen=True)
class PlannedParameter:
    """A parameter with its final value."""

    name: str = documented("Name, as the notebook's code sees it.")
    value: Json = documented("The value.")
    origin: str = documented("Where the value came from: `mlops.yaml:14:7`, `-p`, `INPUT_PARAMETERS`.")


@dataclass(frozen=True)
class KernelChoice:
    """The kernel that a step runs in."""

    name: str = documented("Name of the kernelspec.")
    spec_dir: str = documented("Folder of the `kernel.json` that was found.")
    language: str = documented("Language that the kernelspec declares.")
    argv: tuple[str, ...] = documented("Command that starts the kernel; `{connection_file}` is a placeholder.")
    display_name: str = documented("Name for people.", default="")


@dataclass(frozen=True)
class CellSelection:
    """Which cells of a notebook run; everything when all fields are empty."""

    tags: tuple[str, ...] = documented("Only cells that carry one of these tags.", default=())
    skip_tags: tuple[str, ...] = documented("Leave out cells that carry one of these tags.", default=())
    ids: tuple[str, ...] = documented("Only the cells with these ids.", default=())
    index: str = documented("Only the cells at these places, counted from 0: `0-3,7`.", default="")


@dataclass(frozen=True)
class PlannedStep:
    """One step with every name resolved."""

    name: str = documented("Name of the step.")
    origin: str = documented("Where the step is declared.")
    notebook: str = documented("Path of the notebook, or empty for a snippet.", default="")
    code: str = documented("Source of the snippet, or empty for a notebook.", default="")
    kernel: KernelChoice | None = documented("The kernel, or null when it is missing.", default=None)
    cells: CellSelection = documented("Chosen cells.", default=CellSelection())
    parameters: tuple[PlannedParameter, ...] = documented("Parameters with their final values.", default=())
    needs: tuple[str, ...] = documented("Steps that must end well before this one.", default=())
    inputs: tuple[str, ...] = documented("Files or patterns that the step reads.", default=())
    inputs_found: tuple[FileState, ...] = documented("Inputs that exist now, with sizes.", default=())
    outputs: tuple[str, ...] = documented("Files or patterns that the step writes.", default=())
    metrics: tuple[str, ...] = documented("Metric files that the step writes.", default=())
    timeout_seconds: int = documented("Longest time that the step may take, in seconds; 0 is without limit.", default=0)


@dataclass(frozen=True)
class PlannedGate:
    """One rule on readings."""

    name: str = documented("Name of the gate.")
    metric: str = documented("Metric that it judges.")
    rule: str = documented("`min`, `max`, `range`, `equals`, `max-drop` or `min-gain`.")
    limits: Json = documented("The rule's numbers, as the policy gives them, normalised.")
    origin: str = documented("Where the gate is declared.")
    direction: str = documented("`higher` or `lower` is better; empty where the rule does not need it.", default="")
    baseline: str = documented("Where the baseline is read from; empty for absolute rules.", default="")
    severity: str = documented("`block` or `warn`.", default="block")
    slice: str = documented("Slice that it judges; empty for all rows.", default="")


@dataclass(frozen=True)
class Plan:
    """Exactly what a run would do."""

    config: str = documented("Path of the configuration, or empty when it was made from inputs.")
    root: str = documented("Project folder; paths are relative to it.")
    output_dir: str = documented("Folder that the results are written to.")
    steps: tuple[PlannedStep, ...] = documented("Steps in the order in which they run.")
    gates: tuple[PlannedGate, ...] = documented("Gates that would be evaluated.")
    environment: dict[str, str] = documented("Variables that are set for kernels.", default_factory=dict)
    missing: tuple[str, ...] = documented("What is missing now; a run would fail on it.", default=())


@dataclass(frozen=True)
class Failure:
    """Why and where a step failed."""

    kind: FailureKind = documented("Kind of failure.")
    message: str = documented("One sentence.")
    hint: str = documented("What to do about it.", default="")
    cell: int | None = documented("Index of the cell, counted from 0, when a cell was running.", default=None)
    cell_id: str = documented("Id of that cell.", default="")
    line: int | None = documented("Line in that cell, counted from 1, when the kernel told it.", default=None)
    source: str = documented("Source of that cell, shortened.", default="")
    traceback: str = documented("Traceback without colours, shortened.", default="")


@dataclass(frozen=True)
class StepResult:
    """What a step did."""

    name: str = documented("Name of the step.")
    status: StepStatus = documented("How it ended.")
    started: str = documented("Start, RFC 3339 in UTC; empty when it never started.", default="")
    seconds: float = documented("Wall time in seconds.", default=0.0)
    executed: str = documented("Path of the executed notebook in the output folder.", default="")
    cells_run: int = documented("Code cells that ran to their end.", default=0)
    cells_total: int = documented("Code cells that were chosen.", default=0)
    notebook_digest: str = documented("`sha256:` of kernel, language and ordered code sources.", default="")
    source: FileState | None = documented("The notebook file that was read.", default=None)
    kernel: KernelChoice | None = documented("The kernel that ran it.", default=None)
    parameters: tuple[PlannedParameter, ...] = documented("Parameters that were injected.", default=())
    inputs_before: tuple[FileState, ...] = documented("Declared inputs before the step.", default=())
    inputs_after: tuple[FileState, ...] = documented("Declared inputs after the step.", default=())
    outputs_before: tuple[FileState, ...] = documented("Declared outputs that existed before the step.", default=())
    outputs_after: tuple[FileState, ...] = documented("Declared outputs after the step.", default=())
    readings: tuple[MetricReading, ...] = documented("Metrics that it produced.", default=())
    failure: Failure | None = documented("Why it failed, or null.", default=None)


@dataclass(frozen=True)
class RunResult:
    """All steps of one run (`run.json`)."""

    schema: str = documented("Name and version of this format.")
    tool: str = documented("Version of mlops-action.")
    started: str = documented("Start, RFC 3339 in UTC.")
    finished: str = documented("End, RFC 3339 in UTC.")
    plan: Plan = documented("What was to be done.")
    steps: tuple[StepResult, ...] = documented("What was done, in order.")
    facts: tuple[Fact, ...] = documented("What was collected before the first step.", default=())
    environment: tuple[str, ...] = documented("Names of the variables that kernels were given.", default=())


@dataclass(frozen=True)
class BaselineIdentity:
    """Where a baseline came from."""

    locator: str = documented("As the policy writes it.")
    resolved: str = documented("What it resolved to: a path, or `git:<commit>:<path>`.")
    digest: str = documented("`sha256:` of the bytes that were read.")


@dataclass(frozen=True)
class Verdict:
    """What one gate said, and on which grounds."""

    gate: str = documented("Name of the gate.")
    outcome: Outcome = documented("`pass`, `fail`, `warn` or `inconclusive`.")
    metric: str = documented("Metric that was judged.")
    message: str = documented("The grounds, in one line with the figures.")
    rule: str = documented("Name of the rule.")
    severity: str = documented("`block` or `warn`.")
    origin: str = documented("Where the gate is declared.")
    value: Number | None = documented("Candidate's value, exact.", default=None)
    limit: str = documented("The limit as text, in the metric's unit.", default="")
    needed: str = documented("What would have passed.", default="")
    baseline_value: Number | None = documented("Baseline's value, exact.", default=None)
    baseline: BaselineIdentity | None = documented("Where the baseline came from.", default=None)
    reading_origin: str = documented("Where the candidate's value was read.", default="")
    hint: str = documented("What to do, where something is missing.", default="")


@dataclass(frozen=True)
class Verdicts:
    """All verdicts of one run (`verdicts.json`)."""

    schema: str = documented("Name and version of this format.")
    tool: str = documented("Version of mlops-action.")
    outcome: Outcome = documented("The worst blocking verdict; `inconclusive` when nothing was judged.")
    reason: str = documented("Why, in one sentence.")
    verdicts: tuple[Verdict, ...] = documented("One for each gate, in policy order.")


@dataclass(frozen=True)
class Uncaptured:
    """Something that the manifest does not say, and why."""

    what: str = documented("What is missing.")
    why: str = documented("Why it could not be captured.")


@dataclass(frozen=True)
class Fact:
    """One thing collected for the manifest, split by the part that it belongs to."""

    name: str = documented("Name of the fact, a key in each part.")
    identity: Json = documented("What makes the run this run; part of the manifest's id.", default=None)
    locator: Json = documented("Where the identified things can be found.", default=None)
    observation: Json = documented("What was so, without making a difference.", default=None)
    uncaptured: tuple[Uncaptured, ...] = documented("What could not be captured.", default=())


@dataclass(frozen=True)
class Manifest:
    """The record of a run (`manifest.json`)."""

    schema: str = documented("Name and version of this format.")
    manifest_id: str = documented("`sha256:` of the RFC 8785 bytes of `identity`.")
    identity: Json = documented("What the run was made of: code, data, parameters, environment.")
    locator: Json = documented("Where those can be found again: remote, commit, branch, paths.")
    results: Json = documented("What came out: outputs, metrics, verdicts.")
    observation: Json = documented("Times, host and CI claims; not part of the identity.")
    completeness: tuple[Uncaptured, ...] = documented("Each thing that was not captured, and why.")


@dataclass(frozen=True)
class Annotation:
    """A message for people that points at a file."""

    level: str = documented("`error`, `warning` or `notice`.")
    title: str = documented("A few words.")
    message: str = documented("The message.")
    path: str = documented("File relative to the repository, or empty.", default="")
    line: int | None = documented("Line, counted from 1.", default=None)


@dataclass(frozen=True)
class Emissions:
    """What the CI system and people are given at the end."""

    annotations: tuple[Annotation, ...] = documented("Messages, worst first.")
    summary: str = documented("Markdown.")
    outputs: tuple[tuple[str, str], ...] = documented("Names and values for later CI steps.")
    files: tuple[tuple[str, bytes], ...] = documented("Files for the output folder, by name.")

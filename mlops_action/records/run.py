"""What a run did."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.records.base import FileState, Json, Number, documented
from mlops_action.records.manifest import Fact
from mlops_action.records.plan import KernelChoice, Plan, PlannedParameter
from mlops_action.vocabulary import CellStatus, FailureKind, StepStatus


@frozen
class MetricReading:
    """One number, and where it was read."""

    name: str = documented("Name of the metric; nested names are joined by dots.")
    value: Number | None = documented("The value; null when there is none (text, null).")
    origin: str = documented("File and JSON pointer, or notebook and cell, that it was read from.")
    step: str = documented("Step that produced it, or empty.", default="")
    slice: str = documented("Slice of the data that it was measured on, or empty for all of it.", default="")


@frozen
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


@frozen
class CellResult:
    """What one code cell did."""

    index: int = documented("Place in the executed notebook, counted from 0.")
    id: str = documented("Id of the cell.")
    status: CellStatus = documented("How it ended.")
    seconds: float = documented("Wall time in seconds.", default=0.0)
    cpu_seconds: float | None = documented("CPU time of the kernel and its children.", default=None)
    peak_memory: int | None = documented("Most memory that they held meanwhile, in bytes.", default=None)
    output_cut: int = documented("Bytes of output that were not kept.", default=0)
    title: str = documented("Name, heading or first line, for people.", default="")


@frozen
class Difference:
    """An output that is not what the notebook has saved."""

    cell: int = documented("Place of the cell, counted from 0.")
    cell_id: str = documented("Id of the cell.")
    what: str = documented("What differs, in one line.")
    expected: str = documented("What is saved, shortened.", default="")
    found: str = documented("What the run gave, shortened.", default="")


@frozen
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
    cells: tuple[CellResult, ...] = documented("The cells that were reached, in order.", default=())
    values: dict[str, Json] = documented("Values that the notebook recorded, by name.", default_factory=dict)
    attempts: int = documented("How often it was tried.", default=1)
    variant: str = documented("Combination of the matrix that it ran for, or empty.", default="")
    cached: str = documented("Why it was, or was not, taken from the cache; empty without a cache.", default="")
    differences: tuple[Difference, ...] = documented("Outputs that are not what is saved.", default=())
    executed_sha256: str = documented("Hex SHA-256 of the executed notebook.", default="")
    outputs_digest: str = documented("`sha256:` of what its cells printed, showed and raised.", default="")


@frozen
class Unsteady:
    """Something that is not the same each time."""

    step: str = documented("Name of the step.")
    kind: str = documented("`cell`, `output`, `metric` or `end`.")
    what: str = documented("Place of the cell, path of the output, or name of the metric.")
    why: str = documented("What it was, and what it was another time.")


@frozen
class Repetition:
    """What came of running the same steps several times."""

    runs: int = documented("How many times they ran.")
    unsteady: tuple[Unsteady, ...] = documented("What differed; nothing when the steps are deterministic.", default=())


@frozen
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
    repetition: Repetition | None = documented("What `--repeat` found, or null.", default=None)

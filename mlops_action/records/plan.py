"""What a run would do."""

from __future__ import annotations

from decimal import Decimal

from mlops_action.frozen import frozen
from mlops_action.records.base import FileState, Json, Number, documented
from mlops_action.records.predictions import PlannedPredictions
from mlops_action.records.waiver import Waiver
from mlops_action.vocabulary import Prove


@frozen
class KernelChoice:
    """The kernel that a step runs in."""

    name: str = documented("Name of the kernelspec.")
    spec_dir: str = documented("Folder of the `kernel.json` that was found.")
    language: str = documented("Language that the kernelspec declares.")
    argv: tuple[str, ...] = documented("Command that starts the kernel; `{connection_file}` is a placeholder.")
    display_name: str = documented("Name for people.", default="")
    env: dict[str, str] = documented("Variables that the kernelspec sets.", default_factory=dict)
    interrupt_mode: str = documented("How it is interrupted: `signal` or `message`.", default="signal")
    environment: str = documented("Which of the `environments` it belongs to; empty for `environment`.", default="")
    where: str = documented("Kind of place that it runs in.", default="host")
    place: dict[str, Json] = documented(
        "What the place is made from: the packages' digest, the image's, and so on; the same on every machine.",
        default_factory=dict,
    )

    @property
    def label(self) -> str:
        """Name that no other kernel of the run has."""
        return f"{self.environment}/{self.name}" if self.environment else self.name


@frozen
class CellSelection:
    """Which cells of a notebook run; everything when all fields are empty."""

    tags: tuple[str, ...] = documented("Only cells that carry one of these tags.", default=())
    skip_tags: tuple[str, ...] = documented("Leave out cells that carry one of these tags.", default=())
    ids: tuple[str, ...] = documented("Only the cells with these ids.", default=())
    names: tuple[str, ...] = documented("Only the cells with these names.", default=())
    headings: tuple[str, ...] = documented("Only the cells under these Markdown headings.", default=())
    matching: str = documented("Only the cells whose source matches this regular expression.", default="")
    index: str = documented("Only the cells at these places, counted from 0: `0-3,7`.", default="")


@frozen
class PlannedParameter:
    """A parameter with its final value."""

    name: str = documented("Name, as the notebook's code sees it.")
    value: Json = documented("The value; null while it is not known, and for a secret.")
    origin: str = documented("Where the value came from: `mlops.yaml:14:7`, `-p`, `INPUT_PARAMETERS`.")
    secret: str = documented("Environment variable that holds the value, for a secret.", default="")
    reference: str = documented("`steps.NAME.values.VALUE` that the value is taken from at run time.", default="")


@frozen
class StepLimits:
    """How long and how large a step may become; 0 is without limit."""

    timeout_seconds: int = documented("Longest time for the step.", default=0)
    cell_timeout_seconds: int = documented("Longest time for one cell.", default=0)
    start_timeout_seconds: int = documented("Longest time until its kernel answers.", default=60)
    max_output: int = documented("Most bytes of output that are kept of one cell.", default=50 * 1024 * 1024)
    max_notebook_output: int = documented("Most bytes of output that are kept of all cells.", default=100 * 1024 * 1024)
    memory: int = documented("Bytes of memory that it needs, for admission.", default=0)


@frozen
class Retry:
    """When a step is tried again."""

    on: tuple[str, ...] = documented("Kinds of failure.", default=())
    times: int = documented("How many more times.", default=0)


@frozen
class Comparison:
    """How outputs are compared with those saved in the notebook."""

    absolute: Number | None = documented("Largest absolute difference of numbers in texts.", default=None)
    relative: Number | None = documented("Largest relative difference of numbers in texts.", default=None)
    images: Number | None = documented("Largest mean difference of pixels, from 0 to 1.", default=None)
    skip_tags: tuple[str, ...] = documented("Tags of cells that do not count.", default=())
    ignore: tuple[str, ...] = documented("Regular expressions; what they match does not count.", default=())
    ignore_outputs: tuple[str, ...] = documented("Kinds of output that do not count.", default=())


@frozen
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
    limits: StepLimits = documented("How long and how large it may become.", default=StepLimits())
    file: str = documented("Code file that is run as one cell, or empty.", default="")
    variant: str = documented("Combination of the matrix that this run is for, or empty.", default="")
    interpreters: dict[str, KernelChoice] = documented(
        "Kernels of further cells, by the name that the notebook gives them (Zeppelin's interpreters).",
        default_factory=dict,
    )
    strict_parameters: bool = documented("Whether unknown parameters and other types are refused.", default=True)
    retry: Retry = documented("When it is tried again.", default=Retry())
    allow_errors: bool = documented("Whether it goes on after a cell that raises.", default=False)
    compare: Comparison | None = documented("How its outputs are compared, or null.", default=None)
    deterministic: bool = documented("Whether the executed notebook is written without times.", default=False)
    cache: bool = documented("Whether it need not run again while nothing changed.", default=False)

    @property
    def kernels(self) -> tuple[KernelChoice, ...]:
        """All kernels of the step, each once."""
        chosen = [kernel for kernel in (self.kernel, *self.interpreters.values()) if kernel is not None]
        return tuple({kernel.label: kernel for kernel in chosen}.values())


@frozen
class Smallest:
    """How small a slice may be, and what happens to smaller ones."""

    rows: int = documented("Fewest rows.", default=0)
    positives: int = documented("Fewest positives, in binary classification.", default=0)
    negatives: int = documented("Fewest negatives, in binary classification.", default=0)
    counts: bool = documented("Whether a smaller slice makes the gate inconclusive.", default=True)


@frozen
class PlannedGate:
    """One rule on readings."""

    name: str = documented("Name of the gate.")
    metric: str = documented("Metric that it judges.")
    rule: str = documented("The rule, by its key in the policy.")
    limits: Json = documented("The rule's numbers, as the policy gives them, normalised.")
    origin: str = documented("Where the gate is declared.")
    direction: str = documented("`higher` or `lower` is better; empty where the rule does not need it.", default="")
    baseline: str = documented("Where the baseline is read from; empty for absolute rules.", default="")
    severity: str = documented("`block`, `warn` or `info`.", default="block")
    slice: str = documented("Slice that it judges; empty for all rows.", default="")
    expression: str = documented("Arithmetic over metrics that is judged in place of one; else empty.", default="")
    history: str = documented("Where the values of earlier runs are read from; else empty.", default="")
    combined: tuple[PlannedGate, ...] = documented("The rules that it combines; else none.", default=())
    predictions: PlannedPredictions | None = documented(
        "The file of predictions that the metric is computed from; null when it is read.", default=None
    )
    slices: tuple[str, ...] = documented("Slices that it judges one by one: `country`, `country & device`.", default=())
    groups: str = documented("Column whose values are the groups that `max-gap` and `min-ratio` compare.", default="")
    prove: Prove = documented("Which verdict the rows must prove: `pass`, `fail` or `none`.", default=Prove.NONE)
    confidence: Number = documented("Confidence level of intervals.", default=Decimal("0.95"))
    smallest: Smallest = documented("What a slice must hold to be judged.", default=Smallest())
    on_missing: str = documented("What it says when something is not there.", default="inconclusive")
    on_undefined: str = documented("What it says of a value that is no finite number.", default="inconclusive")
    on_inconclusive: str = documented("What it says when the data is too little.", default="inconclusive")


@frozen
class Plan:
    """Exactly what a run would do."""

    config: str = documented("Path of the configuration, or empty when it was made from inputs.")
    root: str = documented("Project folder; paths are relative to it.")
    output_dir: str = documented("Folder that the results are written to.")
    steps: tuple[PlannedStep, ...] = documented("Steps in the order in which they run.")
    gates: tuple[PlannedGate, ...] = documented("Gates that would be evaluated.")
    environment: dict[str, str] = documented("Variables that are set for kernels.", default_factory=dict)
    environments: dict[str, dict[str, str]] = documented(
        "Variables that are set for kernels of further environments, by its name.", default_factory=dict
    )
    timeout_seconds: int = documented("Longest time for all steps together; 0 is without limit.", default=0)
    missing: tuple[str, ...] = documented("What is missing now; a run would fail on it.", default=())
    shard: str = documented("`I/N` when only the I-th of N parts of the steps is planned, or empty.", default="")
    shard_of: str = documented("`sha256:` of the whole plan that a shard is a part of, or empty.", default="")
    shard_steps: tuple[str, ...] = documented("Names of all steps of that whole plan, in order.", default=())
    waivers: tuple[Waiver, ...] = documented("Permissions for gates to fail.", default=())
    longest_waiver: int = documented("Most days that a waiver may have to run.", default=90)
    policy_guard: str = documented("What the policy says of changes of itself; empty by default.", default="")

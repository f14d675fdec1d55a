"""What a run would do."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_action.records.base import FileState, Json, documented


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
class PlannedParameter:
    """A parameter with its final value."""

    name: str = documented("Name, as the notebook's code sees it.")
    value: Json = documented("The value.")
    origin: str = documented("Where the value came from: `mlops.yaml:14:7`, `-p`, `INPUT_PARAMETERS`.")


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

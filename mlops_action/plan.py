"""Spec → Plan: names resolved, steps ordered, everything that is missing found before a kernel starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from graphlib import TopologicalSorter
from typing import Any

from mlops_action.codec import encode
from mlops_action.config.load import Loaded
from mlops_action.config.model import StepSpec
from mlops_action.config.rules import direction_of, rule_of
from mlops_action.config.sources import Settings
from mlops_action.config.values import all_finite
from mlops_action.config.yaml_source import parse_yaml
from mlops_action.digests import sizes_only
from mlops_action.errors import (
    BadValue,
    FileMissing,
    KernelMissing,
    MlopsError,
    Problems,
    UnknownName,
    UsageError,
    nearest,
)
from mlops_action.gates.limits import limits_of
from mlops_action.kernels.interface import KernelBackend
from mlops_action.kernels.specs import DEFAULT_KERNEL
from mlops_action.notebooks.ipynb import kernel_name_of, peek
from mlops_action.notebooks.read import check_ending
from mlops_action.records import (
    CellSelection,
    KernelChoice,
    Plan,
    PlannedGate,
    PlannedParameter,
    PlannedStep,
)
from mlops_action.structure import key_of


@dataclass(frozen=True)
class Planner:
    """Everything that a plan is made from."""

    loaded: Loaded
    settings: Settings
    kernels: KernelBackend

    def plan(self) -> tuple[Plan, tuple[MlopsError, ...]]:
        """Make the plan, and tell everything that would keep it from running.

        Raises:
            Problems: the request itself makes no sense (unknown steps or parameters).
        """
        names = self._wanted_steps()
        parameters = self._parameters(names)
        problems: list[MlopsError] = []
        steps = tuple(self._step(name, parameters[name], problems) for name in names)
        problems += self._missing_inputs(steps)
        plan = Plan(
            config=self.loaded.file,
            root=str(self.loaded.root),
            output_dir=self.settings.options.output_dir,
            steps=steps,
            gates=plan_gates(self.loaded),
            environment=dict(self.loaded.spec.environment.set),
            missing=tuple(str(problem) for problem in problems),
        )
        return plan, tuple(problems)

    def _wanted_steps(self) -> list[str]:
        """The steps asked for and those that they need, in an order that respects ``needs``."""
        steps = self.loaded.spec.steps
        asked = self.settings.options.steps or tuple(steps)
        unknown = [name for name in asked if name not in steps]
        if unknown:
            raise Problems(
                [
                    UnknownName(
                        f"there is no step `{name}`",
                        origin=self.settings.origin("steps"),
                        hint=nearest(name, list(steps)),
                    )
                    for name in unknown
                ]
            )
        if not asked:
            raise UsageError(
                "there is no step to run",
                origin=self.loaded.file,
                hint="add `steps:`, or judge metric files alone: `mlops-action gate --metrics FILE`",
            )
        wanted: set[str] = set()
        left = list(asked)
        while left:
            name = left.pop()
            if name not in wanted:
                wanted.add(name)
                left += steps[name].needs
        order = TopologicalSorter({name: steps[name].needs for name in steps if name in wanted})
        return list(order.static_order())

    def _step(self, name: str, parameters: tuple[PlannedParameter, ...], problems: list[MlopsError]) -> PlannedStep:
        spec = self.loaded.spec.steps[name]
        where = f"/steps/{name}"
        kernel: KernelChoice | None = None
        try:
            kernel = self.kernels.find(self._kernel_name(spec))
        except KernelMissing as error:
            at = self.loaded.origin(f"{where}/kernel" if spec.kernel else where)
            problems.append(
                KernelMissing(f"step `{name}`: {error.message}", origin=error.origin or at, hint=error.hint)
            )
        except MlopsError as error:
            said = error.message if spec.notebook in error.message else f"{spec.notebook} is {error.message}"
            problems.append(type(error)(said, origin=self.loaded.origin(f"{where}/notebook"), hint=error.hint))
        cells = CellSelection(spec.cells.tags, spec.cells.skip_tags, spec.cells.ids, spec.cells.index)
        return PlannedStep(
            name=name,
            origin=self.loaded.origin(where),
            notebook=spec.notebook,
            code=spec.code,
            kernel=kernel,
            cells=cells,
            parameters=parameters,
            needs=spec.needs,
            inputs=spec.inputs,
            inputs_found=sizes_only(self.loaded.root, spec.inputs),
            outputs=spec.outputs,
            metrics=spec.metrics,
            timeout_seconds=spec.timeout or self.settings.options.timeout,
        )

    def _kernel_name(self, spec: StepSpec) -> str:
        """The step's kernel, else the option's, the environment's, the notebook's, else Python.

        Raises:
            FileMissing: the notebook is not there.
            BadNotebook: the notebook is not one.
        """
        own, path = "", self.loaded.root / spec.notebook
        if spec.notebook:
            check_ending(path, spec.notebook)
            own = kernel_name_of(peek(path, spec.notebook))
        return (
            spec.kernel or self.settings.options.kernel or self.loaded.spec.environment.kernel or own or DEFAULT_KERNEL
        )

    def _missing_inputs(self, steps: tuple[PlannedStep, ...]) -> list[MlopsError]:
        """Inputs that do not exist and that no earlier step promises to write."""
        promised: list[str] = []
        problems: list[MlopsError] = []
        for step in steps:
            for i, pattern in enumerate(step.inputs):
                there = bool(sizes_only(self.loaded.root, (pattern,)))
                if not there and not any(_overlap(pattern, output) for output in promised):
                    problems.append(
                        FileMissing(
                            f"step `{step.name}` reads `{pattern}`, which does not exist and no earlier step writes",
                            origin=self.loaded.origin(f"/steps/{step.name}/inputs/{i}"),
                            hint="correct the path, or list it under `outputs` of the step that writes it",
                        )
                    )
            promised += [*step.outputs, *step.metrics]
        return problems

    def _parameters(self, names: list[str]) -> dict[str, tuple[PlannedParameter, ...]]:
        """Each step's parameters, those of the command line laid over those of the configuration.

        Raises:
            Problems: a parameter that no step has, that is not ``NAME=VALUE``, or that JSON cannot hold.
        """
        steps = self.loaded.spec.steps
        found = {
            name: {
                key: PlannedParameter(key, value, self.loaded.origin(f"/steps/{name}/parameters/{key}"))
                for key, value in steps[name].parameters.items()
            }
            for name in names
        }
        problems: list[MlopsError] = []
        for text in self.settings.options.parameters:
            try:
                self._override(text, found)
            except MlopsError as error:
                problems.append(error)
        problems += [
            BadValue(
                f"parameter `{each.name}` of step `{name}` holds a number that is not finite",
                origin=each.origin,
                hint="JSON has no such number, so it could not be recorded: pass a text and convert it in the code",
            )
            for name, values in found.items()
            for each in values.values()
            if not all_finite(each.value)
        ]
        if problems:
            raise Problems(problems)
        return {name: tuple(values.values()) for name, values in found.items()}

    def _override(self, text: str, found: dict[str, dict[str, PlannedParameter]]) -> None:
        origin = self.settings.origin("parameters")
        name, equals, raw = text.partition("=")
        if not equals or not name.strip():
            raise BadValue(
                f"`{text}` is not a parameter", origin=origin, hint="write `NAME=VALUE` or `STEP.NAME=VALUE`"
            )
        value = parse_yaml(raw, origin).data if raw.strip() else ""
        step, dot, short = name.strip().partition(".")
        if dot and step in found:
            targets, key = [step], short
        else:
            key = name.strip()
            targets = [each for each, known in found.items() if key in known]
            targets = targets or (list(found) if not self.loaded.file else [])
        known = sorted({key for values in found.values() for key in values})
        if not targets or (self.loaded.file and key not in found[targets[0]]):
            raise UnknownName(f"no step has a parameter `{name}`", origin=origin, hint=nearest(key, known))
        for target in targets:
            found[target][key] = PlannedParameter(key, value, origin)


def plan_gates(loaded: Loaded) -> tuple[PlannedGate, ...]:
    """The gates of a configuration with their rule and direction made explicit."""
    planned = []
    for name, gate in loaded.gates.items():
        rule = rule_of(gate)
        change = rule in {"max_drop", "min_gain"}
        direction: Any = direction_of(gate)
        planned.append(
            PlannedGate(
                name=name,
                metric=gate.metric,
                rule=key_of(rule),
                limits=encode(limits_of(gate)),
                origin=loaded.gate_origin(name),
                direction=str(direction) if change and direction else "",
                baseline=(gate.baseline or loaded.baseline) if change else "",
                severity=str(gate.severity),
                slice=gate.slice,
            )
        )
    return tuple(planned)


def gates_only(loaded: Loaded, settings: Settings) -> Plan:
    """The plan of a judgement without a run."""
    return Plan(loaded.file, str(loaded.root), settings.options.output_dir, steps=(), gates=plan_gates(loaded))


def with_gates_of(plan: Plan, loaded: Loaded, settings: Settings) -> Plan:
    """The plan of an earlier run, perhaps on another machine, judged here by the gates of ``loaded``."""
    return replace(plan, gates=plan_gates(loaded), root=str(loaded.root), output_dir=settings.options.output_dir)


def _overlap(wanted: str, promised: str) -> bool:
    """Whether a promised output can be (part of) the wanted input."""
    return (
        fnmatchcase(promised, wanted)
        or fnmatchcase(wanted, promised)
        or promised.startswith(wanted.rstrip("/") + "/")
        or wanted.startswith(promised.rstrip("/") + "/")
    )

"""Spec → Plan: names resolved, steps ordered, everything that is missing found before a kernel starts."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from graphlib import TopologicalSorter

from mlops_action.config.load import Loaded
from mlops_action.config.matrix import variant_of, variant_step
from mlops_action.config.sources import Settings
from mlops_action.config.step_model import StepSpec, UnknownParameters
from mlops_action.config.values import Amount
from mlops_action.digests import sizes_only
from mlops_action.errors import FileMissing, KernelMissing, MlopsError, Problems, UnknownName, UsageError, nearest
from mlops_action.gate_plan import plan_gates
from mlops_action.kernels.interface import KernelBackend
from mlops_action.kernels.specs import DEFAULT_KERNEL
from mlops_action.notebooks.read import interpreter_kernel, kernel_names
from mlops_action.parameters import Parameters, StepRun
from mlops_action.records import (
    CellSelection,
    Comparison,
    KernelChoice,
    Plan,
    PlannedParameter,
    PlannedStep,
    Retry,
    StepLimits,
)


@dataclass(frozen=True)
class Planner:
    """Everything that a plan is made from."""

    loaded: Loaded
    settings: Settings
    kernels: KernelBackend
    env: Mapping[str, str]

    def plan(self) -> tuple[Plan, tuple[MlopsError, ...]]:
        """Make the plan, and tell everything that would keep it from running.

        Raises:
            Problems: the request itself makes no sense (unknown steps or parameters).
        """
        options = self.settings.options
        runs = self._runs()
        parameters = Parameters(self.loaded, self.settings, self.env).resolve(runs)
        problems: list[MlopsError] = []
        steps = tuple(self._step(name, run, parameters[name], problems) for name, run in runs.items())
        problems += self._missing_inputs(steps)
        plan = Plan(
            config=self.loaded.file,
            root=str(self.loaded.root),
            output_dir=options.output_dir,
            steps=steps,
            gates=plan_gates(self.loaded),
            environment=dict(self.loaded.spec.environment.set),
            timeout_seconds=self.loaded.spec.timeout,
            missing=tuple(str(problem) for problem in problems),
        )
        return plan, tuple(problems)

    def _runs(self) -> dict[str, StepRun]:
        """What runs, in order: each wanted step, once for each combination of its matrix."""
        runs: dict[str, StepRun] = {}
        for name in self._wanted_steps():
            combinations = self.loaded.spec.steps[name].matrix.combinations()
            for combination in combinations:
                runs[_free(variant_step(name, combination), runs)] = StepRun(name, combination)
            if not combinations:
                runs[_free(name, runs)] = StepRun(name, {})
        return runs

    def _wanted_steps(self) -> list[str]:
        """The steps asked for and those that they need, in an order that respects ``needs``."""
        steps = self.loaded.spec.steps
        asked = self.settings.options.steps or tuple(steps)
        self._refuse_unknown(asked)
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

    def _refuse_unknown(self, asked: Sequence[str]) -> None:
        known, origin = list(self.loaded.spec.steps), self.settings.origin("steps")
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise Problems(
                [
                    UnknownName(f"there is no step `{name}`", origin=origin, hint=nearest(name, known))
                    for name in unknown
                ]
            )

    def _step(
        self, name: str, run: StepRun, parameters: tuple[PlannedParameter, ...], problems: list[MlopsError]
    ) -> PlannedStep:
        spec = self.loaded.spec.steps[run.step]
        kernel, interpreters = self._kernels(run.step, spec, problems)
        return PlannedStep(
            name=name,
            origin=self.loaded.origin(f"/steps/{run.step}"),
            notebook=spec.notebook,
            code=spec.code,
            file=spec.file,
            kernel=kernel,
            interpreters=interpreters,
            cells=CellSelection(**{item.name: getattr(spec.cells, item.name) for item in fields(spec.cells)}),
            parameters=parameters,
            strict_parameters=spec.unknown_parameters is UnknownParameters.REFUSE,
            variant=variant_of(run.combination),
            needs=self._needs(spec),
            inputs=spec.inputs,
            inputs_found=sizes_only(self.loaded.root, spec.inputs),
            outputs=spec.outputs,
            metrics=spec.metrics,
            limits=self._limits(spec),
            retry=Retry(tuple(map(str, spec.retry.on)), spec.retry.times) if spec.retry else Retry(),
            allow_errors=spec.allow_errors,
            compare=_comparison(spec),
            deterministic=spec.deterministic,
            cache=spec.cache and not self.settings.options.no_cache,
        )

    def _needs(self, spec: StepSpec) -> tuple[str, ...]:
        """The runs that must end well before: of a step with a matrix, all of them."""
        names: list[str] = []
        for step in spec.needs:
            combinations = self.loaded.spec.steps[step].matrix.combinations()
            names += [variant_step(step, each) for each in combinations] or [step]
        return tuple(dict.fromkeys(names))

    def _limits(self, spec: StepSpec) -> StepLimits:
        options = self.settings.options
        return StepLimits(
            timeout_seconds=spec.timeout or options.timeout,
            cell_timeout_seconds=spec.cell_timeout or options.cell_timeout,
            start_timeout_seconds=self.loaded.spec.environment.start_timeout,
            max_output=spec.max_output,
            max_notebook_output=spec.max_notebook_output,
            memory=spec.memory,
        )

    def _kernels(
        self, name: str, spec: StepSpec, problems: list[MlopsError]
    ) -> tuple[KernelChoice | None, dict[str, KernelChoice]]:
        """The step's kernel, and those of its cells that name another one."""
        where = f"/steps/{name}"
        try:
            names = kernel_names(self.loaded.root / spec.notebook, spec.notebook) if spec.notebook else ()
        except MlopsError as error:
            said = error.message if spec.notebook in error.message else f"{spec.notebook} is {error.message}"
            problems.append(type(error)(said, origin=self.loaded.origin(f"{where}/notebook"), hint=error.hint))
            return None, {}
        own, *others = names or ("",)
        environment = self.loaded.spec.environment
        main = spec.kernel or self.settings.options.kernel or environment.kernel or self._mapped(own) or DEFAULT_KERNEL
        found: dict[str, KernelChoice] = {}
        for label, kernel in (("", main), *((each, self._mapped(each)) for each in others)):
            try:
                found[label] = self.kernels.find(kernel)
            except KernelMissing as error:
                at = error.origin or self.loaded.origin(f"{where}/kernel" if spec.kernel else where)
                problems.append(KernelMissing(f"step `{name}`: {error.message}", origin=at, hint=error.hint))
        return found.pop("", None), found

    def _mapped(self, label: str) -> str:
        """The kernel for a name that a notebook gives, through ``environment.interpreters``."""
        return self.loaded.spec.environment.interpreters.get(label) or interpreter_kernel(label)

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


def _free(name: str, taken: Container[str]) -> str:
    """``name``, or with a number when it is taken."""
    if name not in taken:
        return name
    return next(f"{name}-{i}" for i in range(2, 1_000) if f"{name}-{i}" not in taken)


def _comparison(spec: StepSpec) -> Comparison | None:
    if spec.compare is None:
        return None
    tolerance = spec.compare.tolerance or Amount()
    return Comparison(
        absolute=tolerance.absolute,
        relative=tolerance.relative,
        images=spec.compare.images,
        skip_tags=spec.compare.skip_tags,
        ignore=spec.compare.ignore,
        ignore_outputs=spec.compare.ignore_outputs,
    )


def _overlap(wanted: str, promised: str) -> bool:
    """Whether a promised output can be (part of) the wanted input."""
    return (
        fnmatchcase(promised, wanted)
        or fnmatchcase(wanted, promised)
        or promised.startswith(wanted.rstrip("/") + "/")
        or wanted.startswith(promised.rstrip("/") + "/")
    )

"""Spec → Plan: names resolved, steps ordered, everything that is missing found before a kernel starts."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path

from mlops_action.config.load import Loaded
from mlops_action.config.matrix import variant_of, variant_step
from mlops_action.config.model import EnvironmentSpec
from mlops_action.config.sources import Settings
from mlops_action.config.step_model import StepSpec, UnknownParameters
from mlops_action.config.values import Amount
from mlops_action.digests import sizes_only
from mlops_action.errors import (
    BadValue,
    FileMissing,
    KernelMissing,
    MlopsError,
    Problems,
    SpecError,
    UnknownName,
    UsageError,
    nearest,
)
from mlops_action.executors.ordering import overlap
from mlops_action.facts.places import hint_for_missing
from mlops_action.frozen import frozen
from mlops_action.gate_plan import planned_policy
from mlops_action.kernels.places import KernelFinding
from mlops_action.kernels.specs import DEFAULT_KERNEL
from mlops_action.notebooks.read import interpreter_kernel, kernel_names, names_interpreters
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
from mlops_action.selections import selection_problem
from mlops_action.shard import part_of
from mlops_action.signatures import signature_of
from mlops_action.source_date import wrong_source_date
from mlops_action.stores.folder import OWN_FOLDER, harm_of


@frozen
class Planner:
    """Everything that a plan is made from."""

    loaded: Loaded
    settings: Settings
    kernels: KernelFinding
    env: Mapping[str, str]

    def plan(self) -> tuple[Plan, tuple[MlopsError, ...]]:
        """Make the plan, and tell everything that would keep it from running.

        Raises:
            Problems: the request itself makes no sense (unknown steps or parameters).
        """
        options = self.settings.options
        runs = self._runs()
        problems: list[MlopsError] = []
        kernels = {step: self._kernels(step, problems) for step in {run.step: None for run in runs.values()}}
        signatures = {
            step: signature_of(self.loaded, step, found) for step, found in kernels.items() if self._gets_values(step)
        }
        parameters = Parameters(self.loaded, self.settings, self.env, signatures).resolve(runs)
        steps = tuple(self._step(name, run, parameters[name], kernels[run.step]) for name, run in runs.items())
        problems += [*self._choices(runs), *self._missing_inputs(steps), *self._harm(steps)]
        problems += wrong_source_date(self.env, self.loaded.spec.environment.set, self.loaded.origin)
        plan = Plan(
            config=self.loaded.file,
            root=str(self.loaded.root),
            output_dir=options.output_dir,
            steps=steps,
            **planned_policy(self.loaded),
            environment=dict(self.loaded.spec.environment.set),
            environments={name: dict(spec.set) for name, spec in self.loaded.spec.environments.items()},
            timeout_seconds=self.loaded.spec.timeout,
            missing=tuple(str(problem) for problem in problems),
        )
        if options.shard:
            plan = part_of(plan, options.shard, self.settings.origin("shard"))
        return plan, tuple(problems)

    def _runs(self) -> dict[str, StepRun]:
        """What runs, in order: each wanted step, once for each combination of its matrix."""
        return {name: run for step in self._wanted_steps() for name, run in self._named[step].items()}

    @cached_property
    def _named(self) -> dict[str, dict[str, StepRun]]:
        """The runs of all steps, by step and by a name of their own, whichever of them are wanted."""
        steps = self.loaded.spec.steps
        combined = {step: spec.matrix.combinations() for step, spec in steps.items()}
        taken = {step for step, combinations in combined.items() if not combinations}
        named: dict[str, dict[str, StepRun]] = {}
        for step, combinations in combined.items():
            named[step] = {} if combinations else {step: StepRun(step, {})}
            for combination in combinations:
                name = _free(variant_step(step, combination), taken)
                taken.add(name)
                named[step][name] = StepRun(step, combination)
        return named

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

    def _gets_values(self, step: str) -> bool:
        """Whether parameters are given to a step; without any its notebook need not be read."""
        spec, options = self.loaded.spec.steps[step], self.settings.options
        given = options.parameters or options.raw_parameters or options.parameters_file
        return bool(given or spec.parameters or spec.parameters_file or spec.matrix.combinations())

    def _step(
        self, name: str, run: StepRun, parameters: tuple[PlannedParameter, ...], kernels: dict[str, KernelChoice]
    ) -> PlannedStep:
        spec = self.loaded.spec.steps[run.step]
        return PlannedStep(
            name=name,
            origin=self.loaded.origin(f"/steps/{run.step}"),
            notebook=spec.notebook,
            code=spec.code,
            file=spec.file,
            kernel=kernels.get(""),
            interpreters={label: kernel for label, kernel in kernels.items() if label},
            cells=_selection(spec),
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
        return tuple(dict.fromkeys(name for step in spec.needs for name in self._named[step]))

    def _limits(self, spec: StepSpec) -> StepLimits:
        options = self.settings.options
        return StepLimits(
            timeout_seconds=spec.timeout or options.timeout,
            cell_timeout_seconds=spec.cell_timeout or options.cell_timeout,
            start_timeout_seconds=self._environment(spec).start_timeout,
            max_output=spec.max_output,
            max_notebook_output=spec.max_notebook_output,
            memory=spec.memory,
        )

    def _kernels(self, name: str, problems: list[MlopsError]) -> dict[str, KernelChoice]:
        """The step's kernel under an empty name, and those of its cells that name another one."""
        where, spec = f"/steps/{name}", self.loaded.spec.steps[name]
        try:
            names = kernel_names(self.loaded.root / spec.notebook, spec.notebook) if spec.notebook else ()
        except MlopsError as error:
            said = error.message if spec.notebook in error.message else f"{spec.notebook} is {error.message}"
            problems.append(type(error)(said, origin=self.loaded.origin(f"{where}/notebook"), hint=error.hint))
            return {}
        own, *others = names or ("",)
        found: dict[str, KernelChoice] = {}
        for label, kernel in (("", self._main(spec, own)), *((each, self._mapped(each, spec)) for each in others)):
            try:
                found[label] = self.kernels.find(kernel, spec.environment)
            except (KernelMissing, SpecError) as error:
                at = error.origin or self.loaded.origin(_place_at(error, name, spec))
                called = label or (own if names_interpreters(spec.notebook) and not spec.kernel else "")
                hint = f"name a kernel for `{called}` under `environment: interpreters:`; {error.hint}"
                said = f"step `{name}`: {error.message}" + (f", for `%{called}` in {spec.notebook}" if called else "")
                problems.append(type(error)(said, origin=at, hint=hint if called else error.hint))
        return found

    def _environment(self, spec: StepSpec) -> EnvironmentSpec:
        """Where it runs. The interpreter of the option is known to the kernels alone."""
        known = self.loaded.spec
        return known.environments[spec.environment] if spec.environment else known.environment

    def _main(self, spec: StepSpec, own: str) -> str:
        """Name of the step's kernel: said of the step, of all steps, or by the notebook.

        What a note calls its first kernel is a language: a kernel for all steps does not replace it.
        """
        usual = self.settings.options.kernel or self._environment(spec).kernel
        mapped = self._mapped(own, spec)
        by_note = mapped if names_interpreters(spec.notebook) else ""
        return spec.kernel or by_note or usual or mapped or DEFAULT_KERNEL

    def _mapped(self, label: str, spec: StepSpec) -> str:
        """The kernel for a name that a notebook gives, through ``environment.interpreters``."""
        interpreters = self._environment(spec).interpreters
        said = interpreters.get(label) if Path(spec.notebook).suffix != ".ipynb" else None
        return said or interpreter_kernel(label, spec.notebook)

    def _choices(self, runs: Mapping[str, StepRun]) -> Iterator[MlopsError]:
        """Choices of cells that leave nothing, or name what no cell has."""
        for step in {run.step: None for run in runs.values()}:
            problem = selection_problem(self.loaded, step, _selection(self.loaded.spec.steps[step]))
            if problem is not None:
                yield problem

    def _harm(self, steps: tuple[PlannedStep, ...]) -> Iterator[MlopsError]:
        """An output folder in which a run would remove what it reads."""
        folder, root = self.settings.options.output_dir, self.loaded.root
        used = (path for step in steps for path in (step.notebook, step.file, *step.inputs) if path)
        harm = harm_of(root, root / folder, used)
        if harm:
            said = f"results cannot be kept in `{folder}`: {harm}"
            yield BadValue(said, origin=self.settings.origin("output_dir"), hint=OWN_FOLDER)

    def _missing_inputs(self, steps: tuple[PlannedStep, ...]) -> list[MlopsError]:
        """Inputs that do not exist and that no earlier step promises to write."""
        promised: list[str] = []
        problems: list[MlopsError] = []
        for step in steps:
            for i, pattern in enumerate(step.inputs):
                there = bool(sizes_only(self.loaded.root, (pattern,)))
                if not there and not any(overlap(pattern, output) for output in promised):
                    problems.append(
                        FileMissing(
                            f"step `{step.name}` reads `{pattern}`, which does not exist and no earlier step writes",
                            origin=self.loaded.origin(f"/steps/{step.name}/inputs/{i}"),
                            hint=hint_for_missing(pattern),
                        )
                    )
            promised += [*step.outputs, *step.metrics]
        return problems


def _selection(spec: StepSpec) -> CellSelection:
    return CellSelection(**{item.name: getattr(spec.cells, item.name) for item in fields(spec.cells)})


def _free(name: str, taken: Container[str]) -> str:
    """``name``, or with a number when it is taken."""
    if name not in taken:
        return name
    return next(f"{name}-{i}" for i in range(2, 1_000) if f"{name}-{i}" not in taken)


def _place_at(error: MlopsError, name: str, spec: StepSpec) -> str:
    """What names a kernel that cannot be found: the step's environment, its kernel, or the step."""
    if isinstance(error, SpecError):
        return f"/environments/{spec.environment}/packages" if spec.environment else "/environment/packages"
    return f"/steps/{name}/kernel" if spec.kernel else f"/steps/{name}"


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

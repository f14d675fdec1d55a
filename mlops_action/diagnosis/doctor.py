"""Everything that can keep a configuration from running here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlops_action.config.adhoc import load_pipeline
from mlops_action.config.load import Loaded
from mlops_action.config.model import PipelineSpec
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.diagnosis.findings import Finding, of_error
from mlops_action.diagnosis.kernels import KernelExaminer
from mlops_action.diagnosis.machine import MachineExaminer, Needs
from mlops_action.errors import ConfigMissing, KernelMissing, MlopsError, Problems
from mlops_action.frozen import frozen
from mlops_action.kernels import BACKENDS
from mlops_action.kernels.places import DEFAULT, Places, kind_of
from mlops_action.plan import Planner
from mlops_action.records import KernelChoice, Plan

CONFIGURATION = "configuration"


@frozen
class Doctor:
    """Looks at everything; without a configuration nothing is needed."""

    loaded: Loaded | None
    plan: Plan | None
    problems: Sequence[MlopsError]
    """Of the configuration and its plan."""
    places: Places
    context: Context
    start: bool = False

    def findings(self) -> Iterator[Finding]:
        """All of them, group by group."""
        kernels = KernelExaminer(self.places, self._used(), self._wanted(), self.start)
        environments = list(kernels.environments())
        yield from self._configuration([each.problem for each in environments if each.problem])
        yield from kernels.kernels()
        yield from (self._with_origin(each) for each in environments)
        machine = MachineExaminer(self.places.root, self.context.env, self._needs())
        yield from machine.tools()
        yield from machine.engine()
        yield from machine.machine()

    def _with_origin(self, found: Finding) -> Finding:
        """With where it stands in the configuration, when something is wrong with it."""
        if not (self.loaded and found.problem):
            return found
        named = found.name in self.loaded.spec.environments
        origin = self.loaded.origin(f"/environments/{found.name}" if named else "/environment")
        return replace(found, problem=f"{origin}: {found.problem}" if origin else found.problem)

    def _configuration(self, elsewhere: Sequence[str]) -> Iterator[Finding]:
        """What is wrong in it, but for what is told of an environment."""
        name = self.loaded.file if self.loaded else "none"
        problems = [each for each in self.problems if not each.message.endswith(tuple(elsewhere))]
        if not problems:
            steps = f"{len(self.plan.steps)} steps" if self.plan else "no step that could be planned"
            said = steps if self.loaded else "there is no mlops.yaml, so nothing is needed"
            yield Finding(CONFIGURATION, name, said)
        for problem in problems:
            yield of_error(CONFIGURATION, name, problem, needed=True)

    def _used(self) -> dict[str, KernelChoice]:
        steps = self.plan.steps if self.plan else ()
        return {kernel.label: kernel for step in steps for kernel in step.kernels}

    def _wanted(self) -> frozenset[str]:
        return frozenset(step.environment for step in self.loaded.spec.steps.values()) if self.loaded else frozenset()

    def _needs(self) -> Needs:
        if self.loaded is None:
            return Needs()
        specs = [self.places.specs[name] for name in self._wanted() if name in self.places.specs]
        locked = any(each.endswith((".lock", "pylock.toml")) for spec in specs for each in spec.packages)
        return Needs(
            builder=any(spec.packages for spec in specs),
            uv=locked,
            git=self.loaded.baseline.startswith("git:"),
            engine=any(kind_of(spec) == "container" for spec in specs),
            memory=max((step.memory for step in self.loaded.spec.steps.values()), default=0),
        )


def doctor_of(settings: Settings, context: Context, *, start: bool = False) -> Doctor:
    """A doctor for the configuration that the settings ask for; its problems are findings."""
    loaded, plan = None, None
    problems: list[MlopsError] = []
    try:
        loaded = load_pipeline(settings, context.cwd)
    except ConfigMissing as error:
        problems = [error] if settings.options.config else []
    except MlopsError as error:
        problems = _each(error)
    spec = loaded.spec if loaded else PipelineSpec()
    root = loaded.root if loaded else context.cwd
    places = Places({DEFAULT: spec.environment, **spec.environments}, root, context.env)
    if loaded is not None and spec.steps:
        try:
            plan, missing = Planner(loaded, settings, _Known(places), context.env).plan()
            problems = list(missing)
        except MlopsError as error:
            problems = _each(error)
    return Doctor(loaded, plan, problems, places, context, start)


@frozen
class _Known:
    """Kernels of the places that this version knows; another place is told with the environments."""

    places: Places

    def find(self, name: str, environment: str = DEFAULT) -> KernelChoice:
        kind = kind_of(self.places.specs[environment])
        if kind not in BACKENDS:
            raise KernelMissing(f"this version has no kernels of the kind `{kind}`", hint="update mlops-action")
        return self.places.find(name, environment)


def _each(error: MlopsError) -> list[MlopsError]:
    return list(error.problems) if isinstance(error, Problems) else [error]

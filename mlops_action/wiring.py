"""Puts the parts together that steps are run with, and runs them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mlops_action.canonical import pretty_bytes
from mlops_action.ci.console import Console
from mlops_action.codec import encode
from mlops_action.config.load import Loaded
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.digests import readable
from mlops_action.errors import MlopsError
from mlops_action.executors import EXECUTORS
from mlops_action.frozen import frozen
from mlops_action.kernels.ahead import KernelsAhead
from mlops_action.kernels.interface import Launch
from mlops_action.kernels.places import Places
from mlops_action.records import KernelChoice, Plan, RunResult
from mlops_action.redact import Redactor
from mlops_action.registry import load_from
from mlops_action.stores.folder import RUN_FILE
from mlops_action.stores.interface import Store

Seen = Mapping[str, Mapping[str, str]]
"""What kernels see of the environment, by the name of theirs."""
AHEAD = 2
"""Kernels that wait for their steps: while a step with one job runs its cells and ends, two can start."""


@frozen
class StepsRunner:
    """Runs the steps of plans made from one configuration."""

    loaded: Loaded
    settings: Settings
    context: Context
    console: Console
    redactor: Redactor
    places: Places

    def run(self, plan: Plan, store: Store) -> RunResult:
        """Run the steps of ``plan``; what they leave goes to ``store``.

        Raises:
            MlopsError: the machine failed; what was done until then is kept.
        """
        options = self.settings.options
        plan = _prepared(plan, self.places, self.console)
        seen = self.places.variables(options.pass_env)
        # Kernels start while we import what runs them and collect the facts; no code of the steps runs yet.
        kernels = KernelsAhead(self.places, _first_launches(plan, seen), max(options.jobs, AHEAD))
        from mlops_action.execute import RunBroke

        try:
            return self._run(plan, store, kernels, seen)
        except RunBroke as broke:
            with suppress(MlopsError):
                store.write(RUN_FILE, pretty_bytes(encode(broke.run)))
            raise broke.__cause__ or broke from None
        finally:
            kernels.close()

    def _run(self, plan: Plan, store: Store, kernels: KernelsAhead, seen: Seen) -> RunResult:
        from mlops_action.execute import execute
        from mlops_action.executors.memory import available_memory
        from mlops_action.facts.collect import collect_all
        from mlops_action.facts.energy import Energy
        from mlops_action.facts.interface import Scene
        from mlops_action.facts.watch import Watch, with_changes
        from mlops_action.kernels.interrupt import Interrupt
        from mlops_action.progress import ProgressLog
        from mlops_action.workshop import Workshop

        options = self.settings.options
        executor = load_from(EXECUTORS, "local")(
            jobs=options.jobs, fail_fast=options.fail_fast, memory=available_memory(), note=self.console.say
        )
        energy = Energy(self.loaded.spec.manifest.energy)
        watch = Watch(Path(plan.root), self.loaded.spec.manifest.data)
        with ProgressLog(self.console, len(plan.steps), options.jobs) as log:
            workshop = Workshop(
                context=self.context,
                kernels=kernels,
                executor=executor,
                store=store,
                log=log,
                redactor=self.redactor,
                interrupt=Interrupt(),
                environments=seen,
                facts=collect_all(Scene(self.context, plan, self.loaded.spec.manifest, self.redactor, store.write)),
            )
            energy.start()
            try:
                run = execute(plan, workshop)
            finally:
                used = energy.stop()
        written = {state.path for step in run.steps for state in step.outputs_after}
        changed = [name for name in map(readable, watch.changed()) if name not in written]
        facts = (*run.facts, used) if self.loaded.spec.manifest.energy else run.facts
        return replace(run, facts=with_changes(facts, changed))


def _prepared(plan: Plan, places: Places, console: Console) -> Plan:
    """The plan with what is only known of its kernels when their places have been made.

    Raises:
        EnvironmentProblem: one cannot be made.
    """
    made: dict[str, KernelChoice] = {}

    def prepared(choice: KernelChoice) -> KernelChoice:
        if choice.label not in made:
            made[choice.label] = places.prepare(choice, console.say)
        return made[choice.label]

    steps = [
        replace(
            step,
            kernel=prepared(step.kernel) if step.kernel else None,
            interpreters={label: prepared(choice) for label, choice in step.interpreters.items()},
        )
        for step in plan.steps
    ]
    return replace(plan, steps=tuple(steps))


def _first_launches(plan: Plan, seen: Seen) -> list[Launch]:
    """Kernels of the steps that can start at once and that the cache does not stand in for."""
    ready = [step for step in plan.steps if not step.needs and not step.cache]
    return [Launch(each.kernel, Path(plan.root), seen[each.kernel.environment]) for each in ready if each.kernel]

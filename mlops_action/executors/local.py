"""Steps in threads of this process, as many at once as allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from mlops_action.config.values import size_text
from mlops_action.errors import EnvironmentProblem
from mlops_action.executors.interface import RunOne, StepBroke
from mlops_action.executors.ordering import waits
from mlops_action.frozen import frozen
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import Failure, PlannedStep, StepResult
from mlops_action.vocabulary import FailureKind, StepStatus

_ENDED_BADLY = {StepStatus.FAILED, StepStatus.INTERRUPTED}


def _say_nothing(line: str) -> None:
    del line


@frozen
class LocalExecutor:
    """Runs each step in a thread of its own; the calling thread waits and stays open to signals."""

    jobs: int = 1
    fail_fast: bool = False
    memory: int = 0
    note: Callable[[str], None] = _say_nothing

    def run_all(self, steps: Sequence[PlannedStep], run_one: RunOne, interrupt: Interrupt) -> tuple[StepResult, ...]:
        """Run ``steps``, which are ordered so that needs come first.

        Raises:
            StepBroke: ``run_one`` raised; all that was running has ended.
        """
        before = waits(steps) if self.jobs > 1 else {step.name: frozenset(step.needs) for step in steps}
        schedule = _Schedule(self, run_one, interrupt, before, list(steps))
        schedule.run()
        results = tuple(schedule.results[step.name] for step in steps)
        for name, error in schedule.broken.items():
            raise StepBroke(name, results) from error
        return results


@dataclass
class _Schedule:
    """One call of ``run_all``. Everything but ``ended`` belongs to the calling thread."""

    rules: LocalExecutor
    run_one: RunOne
    interrupt: Interrupt
    before: Mapping[str, frozenset[str]]
    left: list[PlannedStep]
    results: dict[str, StepResult] = field(default_factory=dict)
    broken: dict[str, BaseException] = field(default_factory=dict)
    running: dict[str, PlannedStep] = field(default_factory=dict)
    ended: SimpleQueue[tuple[str, StepResult | BaseException]] = field(default_factory=SimpleQueue)

    def run(self) -> None:
        """Start what can be started, wait for an end, and again."""
        while self.left or self.running:
            before = len(self.left)
            for step in list(self.left):
                self._consider(step)
            if self.running:
                self._take(*self.ended.get())
            elif len(self.left) == before:
                raise ValueError(f"`{self.left[0].name}` waits for a step that does not come before it")

    def _consider(self, step: PlannedStep) -> None:
        """Skip the step, start it, or let it wait."""
        why = self._obstacle(step)
        if why is not None:
            self.left.remove(step)
            self.results[step.name] = StepResult(step.name, StepStatus.SKIPPED, failure=why, variant=step.variant)
            self.rules.note(f"skipped {step.name}: {why.message.removeprefix('not run: ')}")
        elif self._has_room(step) and all(name in self.results for name in self.before[step.name]):
            self.left.remove(step)
            self._start(step)

    def _obstacle(self, step: PlannedStep) -> Failure | None:
        """Why the step will not be run at all."""
        if self.interrupt:
            why = "the run was interrupted before it" if self.interrupt.number else self.interrupt.reason
            return Failure(self.interrupt.kind, f"not run: {why}")
        bad = [name for name in step.needs if name in self.results and self.results[name].status is not StepStatus.OK]
        if bad:
            return _not_run(f"it needs {', '.join(f'`{name}`' for name in bad)}")
        if any(isinstance(error, EnvironmentProblem) for error in self.broken.values()):
            return _not_run("the machine cannot go on")
        if self.rules.fail_fast:
            failed = [name for name, each in self.results.items() if each.status in _ENDED_BADLY]
            return _not_run(f"`{failed[0]}` failed before it (--fail-fast)") if failed else None
        return None

    def _has_room(self, step: PlannedStep) -> bool:
        """Whether there is a free place, and memory beside what is running; alone a step always has."""
        if not self.running:
            return True
        need = step.limits.memory + sum(each.limits.memory for each in self.running.values())
        return len(self.running) < self.rules.jobs and (not self.rules.memory or need <= self.rules.memory)

    def _start(self, step: PlannedStep) -> None:
        need, there = step.limits.memory, self.rules.memory
        if self.rules.jobs > 1 and there and need > there:
            self.rules.note(
                f"{step.name} needs {size_text(need)} of memory by its own account, and there are {size_text(there)}: "
                "it runs alone"
            )
        self.running[step.name] = step
        earlier = dict(self.results)
        threading.Thread(target=self._work, args=(step, earlier), name=f"step {step.name}").start()

    def _work(self, step: PlannedStep, earlier: Mapping[str, StepResult]) -> None:
        """In the step's own thread."""
        try:
            self.ended.put((step.name, self.run_one(step, earlier)))
        except BaseException as error:  # noqa: BLE001  # whatever it is, the waiting thread must hear of it
            self.ended.put((step.name, error))

    def _take(self, name: str, end: StepResult | BaseException) -> None:
        del self.running[name]
        if isinstance(end, StepResult):
            self.results[name] = end
            return
        self.broken[name] = end
        failure = Failure(FailureKind.ENVIRONMENT, f"it could not be run to an end: {end}")
        self.results[name] = StepResult(name, StepStatus.FAILED, failure=failure)


def _not_run(why: str) -> Failure:
    return Failure(FailureKind.NEEDS_FAILED, f"not run: {why}")

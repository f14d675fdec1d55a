"""The contract of an executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import PlannedStep, StepResult

RunOne = Callable[[PlannedStep, Mapping[str, StepResult]], StepResult]


class StepBroke(Exception):
    """Something other than a step failed while steps ran; the cause is ``__cause__``.

    Args:
        step: the first step that it happened in.
        results: what became of all steps.
    """

    def __init__(self, step: str, results: tuple[StepResult, ...]) -> None:
        super().__init__(f"step `{step}` could not be run to an end")
        self.results = results


class Executor(Protocol):
    """Runs steps, each after those that it needs.

    It is made from ``jobs`` (how many steps may run at once), ``fail_fast`` (start nothing after
    a failure), ``memory`` (bytes that the steps may need together; 0 when nobody knows) and
    ``note`` (is told, from the calling thread, what people should know).

    Laws, tested for every executor: a step whose needs did not all end well is skipped
    and says so; a step that reads or writes what an earlier one writes waits for it; other
    steps do not affect each other; nothing is started after an interrupt; the results are in
    the order of the steps; an exception in one step loses no other step's result.
    """

    def run_all(self, steps: Sequence[PlannedStep], run_one: RunOne, interrupt: Interrupt) -> tuple[StepResult, ...]:
        """Run ``steps``, which are ordered so that needs come first.

        Args:
            steps: what to run.
            run_one: runs a step, given the results of the steps that ended before it by name;
                it is called from any thread.
            interrupt: nothing is started once it is set.

        Raises:
            StepBroke: ``run_one`` raised; all that was running has ended.
        """

"""The contract of an executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import PlannedStep, StepResult

RunOne = Callable[[PlannedStep, Mapping[str, StepResult]], StepResult]


class Executor(Protocol):
    """Runs steps, each after those that it needs.

    Laws, tested for every executor: a step whose needs did not all end well is skipped
    and says so; steps that do not need each other do not affect each other; nothing is
    started after an interrupt; the results are in the order of the steps.
    """

    def run_all(self, steps: Sequence[PlannedStep], run_one: RunOne, interrupt: Interrupt) -> tuple[StepResult, ...]:
        """Run ``steps``, which are ordered so that needs come first.

        Args:
            steps: what to run.
            run_one: runs a step, given the results of the steps before it by name.
            interrupt: nothing is started once it is set.
        """

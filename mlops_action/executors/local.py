"""One step after the other, in this process."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_action.executors.interface import RunOne
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import Failure, PlannedStep, StepResult
from mlops_action.vocabulary import FailureKind, StepStatus


class LocalExecutor:
    """Runs steps one by one; after a failure, those that do not need it go on."""

    def run_all(self, steps: Sequence[PlannedStep], run_one: RunOne, interrupt: Interrupt) -> tuple[StepResult, ...]:
        """Run ``steps``, which are ordered so that needs come first."""
        results: dict[str, StepResult] = {}
        for step in steps:
            broken = [name for name in step.needs if results[name].status is not StepStatus.OK]
            if interrupt:
                results[step.name] = _skipped(step, "the run was interrupted before it")
            elif broken:
                results[step.name] = _skipped(step, f"it needs {', '.join(f'`{name}`' for name in broken)}")
            else:
                results[step.name] = run_one(step, results)
        return tuple(results.values())


def _skipped(step: PlannedStep, why: str) -> StepResult:
    return StepResult(step.name, StepStatus.SKIPPED, failure=Failure(FailureKind.NEEDS_FAILED, f"not run: {why}"))

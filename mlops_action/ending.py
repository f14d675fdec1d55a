"""What the process says to CI at the end of a run."""

from __future__ import annotations

from mlops_action.errors import ExitCode
from mlops_action.records import RunResult, Verdicts
from mlops_action.vocabulary import FailureKind, Outcome

_CODES = {
    Outcome.PASS: ExitCode.PASSED,
    Outcome.WARN: ExitCode.PASSED,
    Outcome.FAIL: ExitCode.GATE_FAILED,
    Outcome.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}
_ENVIRONMENT_FAILURES = {FailureKind.KERNEL_MISSING, FailureKind.KERNEL_START, FailureKind.ENVIRONMENT}


def exit_code(run: RunResult | None, verdicts: Verdicts | None) -> ExitCode:
    """The process's exit code: an interrupt first, then failed steps, then the verdict."""
    kinds = {step.failure.kind for step in (run.steps if run else ()) if step.failure is not None}
    if FailureKind.TERMINATED in kinds:
        return ExitCode.TERMINATED
    if FailureKind.INTERRUPTED in kinds:
        return ExitCode.INTERRUPTED
    if kinds & _ENVIRONMENT_FAILURES:
        return ExitCode.ENVIRONMENT
    if kinds:
        return ExitCode.STEP_FAILED
    return _CODES[verdicts.outcome] if verdicts is not None else ExitCode.PASSED

"""The fixed words of the records: outcomes, kinds of failure, names of formats."""

from __future__ import annotations

from enum import StrEnum

RUN_SCHEMA = "mlops-action/run/v1"
VERDICTS_SCHEMA = "mlops-action/verdicts/v1"
MANIFEST_SCHEMA = "mlops-action/manifest/v1"

WAIVER, POLICY_GUARD = "waiver", "policy-guard"
"""Rules of verdicts that are about the policy, not about the model."""


class Outcome(StrEnum):
    """What a gate says. Could not tell is a value of its own and blocks by default."""

    PASS = "pass"  # noqa: S105  # not a password
    FAIL = "fail"
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    INFO = "info"


class Undecided(StrEnum):
    """Why a gate could not be judged."""

    MISSING = "missing"
    UNDEFINED = "undefined"
    INCONCLUSIVE = "inconclusive"
    BROKEN = "broken"


class WaiverState(StrEnum):
    """What became of a waiver."""

    USED = "used"
    UNUSED = "unused"
    EXPIRED = "expired"
    UNBOUNDED = "unbounded"
    ORPHANED = "orphaned"


class StepStatus(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class CellStatus(StrEnum):
    """How a cell ended."""

    OK = "ok"
    FAILED = "failed"
    ALLOWED = "allowed-error"


class FailureKind(StrEnum):
    """Why a step failed."""

    RAISED = "raised"
    TIMED_OUT = "timed-out"
    KERNEL_DIED = "kernel-died"
    KERNEL_MISSING = "kernel-missing"
    KERNEL_START = "kernel-start"
    ENVIRONMENT = "environment"
    BAD_NOTEBOOK = "bad-notebook"
    OUTPUT_MISSING = "output-missing"
    INPUT_MISSING = "input-missing"
    METRIC_UNREADABLE = "metric-unreadable"
    OUTPUTS_DIFFER = "outputs-differ"
    NEEDS_FAILED = "needs-failed"
    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"


class Task(StrEnum):
    """What a model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"
    RANKING = "ranking"


class Prove(StrEnum):
    """What the rows of predictions have to prove before a gate says it."""

    PASS = "pass"  # noqa: S105  # not a password
    FAIL = "fail"
    NONE = "none"

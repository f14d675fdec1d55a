"""Every error a user can meet: its exit code, its slug, and what it says.

One class is one error. ``docs/errors.md`` is generated from the classes below, and each
slug is an anchor there. An error says what is wrong, where (``origin``), and how to mend
it (``hint``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to CI. The numbers are stable across releases."""

    doc: str

    def __new__(cls, value: int, doc: str) -> ExitCode:
        """Attach the sentence that the docs print for the code."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

    PASSED = 0, "Every gate passed (gates of severity `warn` may have warned)."
    GATE_FAILED = 1, "At least one gate failed: the model is not good enough."
    USAGE = 2, "Bad usage or configuration: nothing was run."
    STEP_FAILED = 3, "A notebook or snippet failed."
    ENVIRONMENT = 4, "The environment failed: kernel missing or dead at start, baseline or disk not usable."
    INCONCLUSIVE = 5, "Nobody can tell: a gate could not be evaluated."
    BUG = 70, "A bug of mlops-action itself; a crash report was written."
    INTERRUPTED = 130, "Interrupted from the keyboard (SIGINT)."
    TERMINATED = 143, "Terminated by the CI system (SIGTERM)."


class MlopsError(Exception):
    """Base of every error that is the user's to mend.

    Args:
        message: what is wrong, in one sentence.
        origin: where: ``mlops.yaml:14:7``, ``--gates``, ``INPUT_GATES``, a file, or empty.
        hint: what to do about it, or empty.
    """

    slug = ""
    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, origin: str = "", hint: str = "") -> None:
        """Keep the three parts apart: each CI system lays them out differently."""
        super().__init__(message)
        self.message = message
        self.origin = origin
        self.hint = hint

    def __str__(self) -> str:
        """Render the one-line form: place, then message."""
        return f"{self.origin}: {self.message}" if self.origin else self.message


class Problems(MlopsError):
    """Several errors found at once; the process ends with the code of the first."""

    slug = "problems"

    def __init__(self, problems: Sequence[MlopsError]) -> None:
        """Take the problems in the order in which they should be read."""
        super().__init__(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}")
        self.problems = tuple(problems)
        if problems:
            self.exit_code = problems[0].exit_code


class UsageError(MlopsError):
    """The command line or an action input is wrong."""

    slug = "usage"


class UnknownInput(UsageError):
    """The action was given an input that it does not have, usually a typing error."""

    slug = "unknown-input"


class SpecError(MlopsError):
    """The configuration is wrong in a way that no other entry here names."""

    slug = "bad-configuration"


class PolicyLint(SpecError):
    """Gates that cannot pass together, a waiver that does not hold, or, with ``--strict``, a warning of ``check``."""

    slug = "policy-lint"


class ConfigMissing(SpecError):
    """No ``mlops.yaml`` was found in the working directory or above it."""

    slug = "config-missing"


class YamlError(SpecError):
    """The file is not YAML, is too large, repeats a key, or expands without bound."""

    slug = "bad-yaml"


class UnknownKey(SpecError):
    """A key that the format does not have. It is never ignored: it might be a misspelt gate."""

    slug = "unknown-key"


class WrongType(SpecError):
    """A value of the wrong kind: text where a number belongs, a list where one value belongs."""

    slug = "wrong-type"


class BadValue(SpecError):
    """A value of the right kind that makes no sense in its place."""

    slug = "bad-value"


class UnknownName(SpecError):
    """A reference to a step, kernel or gate that does not exist."""

    slug = "unknown-name"


class NeedsCycle(SpecError):
    """Steps that need each other in a circle, so none of them can be first."""

    slug = "needs-cycle"


class FileMissing(SpecError):
    """A file that the configuration names does not exist, or a pattern matches nothing."""

    slug = "file-missing"


class BadNotebook(SpecError):
    """A notebook file that cannot be read as a notebook."""

    slug = "bad-notebook"


class BadDocument(SpecError):
    """A ``run.json`` or ``verdicts.json`` that is not what this version writes."""

    slug = "bad-document"


class ShardMismatch(SpecError):
    """Results to merge that are not all the parts of one run: one is missing, is there twice, or is of another run."""

    slug = "shard-mismatch"


class NothingToJudge(SpecError):
    """Gates were asked for and there is none, or no step and no metric file to read."""

    slug = "nothing-to-judge"


class StepFailed(MlopsError):
    """A notebook or snippet raised, died, ran out of time, or left out what it had promised."""

    slug = "step-failed"
    exit_code = ExitCode.STEP_FAILED


class EnvironmentProblem(MlopsError):
    """The machine cannot do what was asked: disk full, no permission, a tool is missing."""

    slug = "environment"
    exit_code = ExitCode.ENVIRONMENT


class KernelMissing(EnvironmentProblem):
    """The Jupyter kernel that a step names is not installed where mlops-action looks."""

    slug = "kernel-missing"


class KernelStartFailed(EnvironmentProblem):
    """The kernel process ended, or said nothing in time, before the first cell."""

    slug = "kernel-start-failed"


class PackagesFailed(EnvironmentProblem):
    """The packages of an environment could not be installed; the message ends with the installer's own words."""

    slug = "packages-failed"


class ToolMissing(EnvironmentProblem):
    """An optional package or program that the task needs is not installed."""

    slug = "tool-missing"


class EngineUnreachable(EnvironmentProblem):
    """A step runs in a container, and no container engine (Docker, Podman) answers."""

    slug = "engine-unreachable"


class ImageUnavailable(EnvironmentProblem):
    """The image of a container is not on this machine, and may or can not be pulled."""

    slug = "image-unavailable"


class SecretMissing(EnvironmentProblem):
    """A secret parameter's environment variable is not set."""

    slug = "secret-missing"


class WriteFailed(EnvironmentProblem):
    """A file of the output folder could not be written: disk full or no permission."""

    slug = "write-failed"


class CommentRefused(EnvironmentProblem):
    """A comment on a merge request could not be written: the token may not, or the forge cannot be reached."""

    slug = "comment-refused"


class GatewayUnusable(EnvironmentProblem):
    """A gateway cannot be reached, refuses the token, or is no Jupyter server."""

    slug = "gateway-unusable"


class SessionUnusable(EnvironmentProblem):
    """A session has ended, does not answer, or its private folder is not safe."""

    slug = "session-unusable"


class MetricUnreadable(MlopsError):
    """A metric file is missing, is not in its format, or was not written by the step (code 2 when no step runs)."""

    slug = "metric-unreadable"
    exit_code = ExitCode.STEP_FAILED


class PredictionsUnreadable(MlopsError):
    """A file of predictions is missing, is damaged, or has no such column, a hole, or a value that cannot be judged."""

    slug = "predictions-unreadable"
    exit_code = ExitCode.STEP_FAILED


class ColumnMissing(PredictionsUnreadable):
    """A file of predictions has no such column."""

    slug = "column-missing"


class BaselineUnavailable(MlopsError):
    """The baseline cannot be read, so a change against it cannot be judged."""

    slug = "baseline-unavailable"
    exit_code = ExitCode.INCONCLUSIVE


class BaselineMissing(BaselineUnavailable):
    """There is no baseline yet: no such file, or it is not in that commit."""

    slug = "baseline-missing"


class DataUnavailable(EnvironmentProblem):
    """Data elsewhere cannot be had: there is none, its store refuses, or the library for such stores is missing."""

    slug = "data-unavailable"


class GitRefused(MlopsError):
    """git is not installed, or ended with an error; the message is git's own."""

    slug = "git"
    exit_code = ExitCode.ENVIRONMENT

    @property
    def about_a_missing_file(self) -> bool:
        """Whether git has the commit, but no such file in it."""
        return " does not exist in " in self.message or ", but not in " in self.message


class SecretFound(MlopsError):
    """A secret's value was about to be written to a file; nothing was written."""

    slug = "secret-found"
    exit_code = ExitCode.ENVIRONMENT


def all_errors(root: type[MlopsError] = MlopsError) -> Iterator[type[MlopsError]]:
    """Every error class, parents before children, in the order of this file."""
    for child in root.__subclasses__():
        yield child
        yield from all_errors(child)


def nearest(name: str, known: Sequence[str]) -> str:
    """Say ``did you mean …?`` for a misspelt name, or list what is known."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known: {', '.join(f'`{k}`' for k in known)}" if known else ""

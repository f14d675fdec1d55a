"""Words for failures, and the exit code that a run ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_action.errors import ExitCode
from mlops_action.files import stamp
from mlops_action.kernels.advice import advice_for, death_advice
from mlops_action.pipeline import exit_code
from mlops_action.records import Failure, Plan, RunResult, StepResult, Verdicts
from mlops_action.vocabulary import FailureKind, Outcome, StepStatus

PLAN = Plan("mlops.yaml", "/p", "out", (), ())


def run(*kinds: FailureKind | None) -> RunResult:
    steps = tuple(
        StepResult(f"s{i}", StepStatus.FAILED if kind else StepStatus.OK, failure=kind and Failure(kind, "why"))
        for i, kind in enumerate(kinds)
    )
    return RunResult("s", "1", "a", "b", PLAN, steps)


def verdicts(outcome: Outcome) -> Verdicts:
    return Verdicts("s", "1", outcome, "why", ())


@pytest.mark.parametrize(
    ("error", "message", "said"),
    [
        (
            "ModuleNotFoundError",
            "No module named 'sklearn.svm'",
            "install `sklearn` where the kernel runs (/venv/python)",
        ),
        ("ImportError", "cannot import name 'x'", ""),
        ("FileNotFoundError", "data.csv", "paths in a notebook are relative to the folder of mlops.yaml"),
        ("StdinNotImplementedError", "", "nobody can answer a prompt in CI: pass the value as a parameter"),
        ("ValueError", "No module named 'x'", ""),
    ],
)
def test_usual_errors_of_a_notebook_get_a_remedy(error: str, message: str, said: str) -> None:
    assert advice_for(error, message, "/venv/python") == said


@pytest.mark.parametrize(
    ("how", "said"), [("it was killed (SIGKILL)", "less data"), ("exit code 0", "exit()"), ("signal 11", "native code")]
)
def test_each_way_to_die_gets_its_own_remedy(how: str, said: str) -> None:
    assert said in death_advice(how)


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.PASS, 0), (Outcome.WARN, 0), (Outcome.FAIL, 1), (Outcome.INCONCLUSIVE, 5)]
)
def test_a_run_that_went_well_ends_with_the_code_of_its_verdict(outcome: Outcome, code: int) -> None:
    assert exit_code(run(None), verdicts(outcome)) == code
    assert exit_code(None, verdicts(outcome)) == code


def test_a_run_that_was_not_judged_ends_well_when_its_steps_did() -> None:
    assert exit_code(run(None, None), None) is ExitCode.PASSED


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", FailureKind)
def test_no_failure_of_a_step_ends_as_success_whatever_the_gates_say(kind: FailureKind, outcome: Outcome) -> None:
    assert exit_code(run(None, kind), verdicts(outcome)) not in {ExitCode.PASSED, ExitCode.GATE_FAILED}


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ([FailureKind.RAISED, FailureKind.NEEDS_FAILED], 3),
        ([FailureKind.KERNEL_START, FailureKind.RAISED], 4),
        ([FailureKind.RAISED, FailureKind.INTERRUPTED], 130),
        ([FailureKind.INTERRUPTED, FailureKind.TERMINATED], 143),
        ([FailureKind.METRIC_UNREADABLE], 3),
        ([FailureKind.TIMED_OUT], 3),
        ([FailureKind.KERNEL_DIED], 3),
    ],
)
def test_of_several_failures_the_one_that_explains_the_others_gives_the_code(
    kinds: list[FailureKind], code: int
) -> None:
    assert exit_code(run(*kinds), verdicts(Outcome.INCONCLUSIVE)) == code


def test_a_metric_file_that_was_rewritten_with_the_same_bytes_counts_as_written(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("{}")
    before = stamp(path)
    path.write_text("{}")
    assert stamp(path) is not None
    assert stamp(path) != before or before is None

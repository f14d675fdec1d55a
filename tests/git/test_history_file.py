"""A history in a repository: runs are added once, and a commit is not compared with itself."""

from __future__ import annotations

import io
import json
import os
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from mlops_action.chronicle import add_to_history
from mlops_action.codec import encode
from mlops_action.context import Context
from mlops_action.errors import BadDocument, BaselineMissing, ExitCode, MetricUnreadable, NothingToJudge
from mlops_action.metrics.baseline import Baselines
from mlops_action.metrics.history import read_history
from mlops_action.records import MetricReading, Plan, RunResult, StepResult, Verdicts
from mlops_action.repository import Repository
from mlops_action.vocabulary import RUN_SCHEMA, VERDICTS_SCHEMA, Outcome, StepStatus

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, env=ENV, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def project(folder: Path, outcome: Outcome = Outcome.PASS, finished: str = "2026-11-29T00:01:00Z") -> Context:
    plan = Plan("", str(folder), "mlops-out", (), ())
    readings = (MetricReading("auc", Decimal("0.9"), "m#/auc"), MetricReading("bad", None, "m#/bad"))
    run = RunResult(
        RUN_SCHEMA,
        "0",
        "2026-11-29T00:00:00Z",
        finished,
        plan,
        (StepResult("train", StepStatus.OK, readings=readings),),
    )
    (folder / "mlops-out").mkdir(exist_ok=True)
    (folder / "mlops-out/run.json").write_text(json.dumps(encode(run)))
    verdicts = Verdicts(VERDICTS_SCHEMA, "0", outcome, "", ())
    (folder / "mlops-out/verdicts.json").write_text(json.dumps(encode(verdicts)))
    return Context(ENV, folder, io.StringIO(), lambda: NOW)


def added(context: Context, *, any_outcome: bool = False) -> bytes:
    code = add_to_history(context, "metrics/history.jsonl", "mlops-out/run.json", any_outcome=any_outcome)
    assert code is ExitCode.PASSED
    return (context.cwd / "metrics/history.jsonl").read_bytes()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "one")
    return tmp_path


def test_a_run_that_passed_is_added_with_its_commit_and_only_once(clone: Path) -> None:
    first = added(project(clone))
    [run] = read_history(first, "h")
    assert (run.commit, run.time) == (git(clone, "rev-parse", "HEAD"), "2026-11-29T00:01:00Z")
    assert [(each.name, each.value) for each in run.readings] == [("auc", Decimal("0.9"))]
    assert added(project(clone)) == first
    assert len(read_history(added(project(clone, finished="2026-11-30T00:00:00Z")), "h")) == 2


def test_a_line_is_added_after_one_that_has_no_end(clone: Path) -> None:
    (clone / "metrics").mkdir()
    (clone / "metrics/history.jsonl").write_text('{"auc": 0.8}')
    assert len(read_history(added(project(clone)), "h")) == 2


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.INCONCLUSIVE])
def test_a_run_that_did_not_pass_is_not_added_unless_asked_for(clone: Path, outcome: Outcome) -> None:
    context = project(clone, outcome)
    with pytest.raises(NothingToJudge, match=str(outcome)):
        added(context)
    assert not (clone / "metrics").exists()
    assert str(outcome).encode() in added(context, any_outcome=True)


def test_a_run_without_verdicts_is_not_added_unless_asked_for(clone: Path) -> None:
    context = project(clone)
    (clone / "mlops-out/verdicts.json").unlink()
    with pytest.raises(BadDocument):
        added(context)
    assert added(context, any_outcome=True)


def test_a_file_that_is_no_history_is_left_as_it_is(clone: Path) -> None:
    context = project(clone)
    (clone / "metrics").mkdir()
    (clone / "metrics/history.jsonl").write_text("[1]\n")
    with pytest.raises(MetricUnreadable):
        added(context)
    assert (clone / "metrics/history.jsonl").read_text() == "[1]\n"


def test_a_commit_is_not_compared_with_its_own_run(clone: Path) -> None:
    (clone / "h.jsonl").write_text(f'{{"auc": 0.8}}\n{{"auc": 0.99, "commit": "{git(clone, "rev-parse", "HEAD")}"}}\n')
    runs, identity = Baselines(clone, Repository(clone, ENV), NOW).history("h.jsonl")
    assert [str(run.readings[0].value) for run in runs] == ["0.8"]
    assert identity.digest.startswith("sha256:")


def test_a_history_is_read_as_the_target_branch_has_it(clone: Path) -> None:
    (clone / "h.jsonl").write_text('{"auc": 0.9}\n')
    git(clone, "add", "h.jsonl")
    git(clone, "commit", "-q", "-m", "history")
    git(clone, "checkout", "-q", "-b", "change")
    (clone / "h.jsonl").write_text('{"auc": 0.1}\n')
    git(clone, "commit", "-qam", "a lower bar")
    runs, identity = Baselines(clone, Repository(clone, ENV), NOW).history("git::h.jsonl")
    assert [str(run.readings[0].value) for run in runs] == ["0.9"]
    assert identity.resolved == f"git:{git(clone, 'rev-parse', 'main')}:h.jsonl"


def test_a_history_that_is_not_there_yet_is_missing(clone: Path) -> None:
    for locator in ("h.jsonl", "git:HEAD:h.jsonl"):
        with pytest.raises(BaselineMissing):
            Baselines(clone, Repository(clone, ENV), NOW).history(locator)

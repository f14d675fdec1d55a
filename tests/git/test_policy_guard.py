"""A request that changes its own policy is judged by its target branch's policy as well."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mlops_action.codec import encode
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import ExitCode
from mlops_action.pipeline import Pipeline
from mlops_action.records import Fact, MetricReading, Plan, PlannedGate, RunResult, StepResult
from mlops_action.vocabulary import RUN_SCHEMA, StepStatus

TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
POLICY = "gates:\n  floor: {metric: auc, min: 0.9}\n  speed: {metric: ms, max: 50}\n"
WAIVER = "waivers: [{gate: floor, down-to: 0.5, reason: later, approver: Ola, expires: 2026-12-31}]\n"


def git(folder: Path, *arguments: str) -> str:
    who = {f"GIT_{role}_{part}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **who}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change")


def repository(folder: Path, **files: str) -> Path:
    """A clone of a repository whose branch `main` holds the files, on a branch of its own."""
    upstream = folder / "upstream"
    upstream.mkdir()
    git(upstream, "init", "-q", "-b", "main")
    commit(upstream, **files)
    git(folder, "clone", "-q", str(upstream), "project")
    git(folder / "project", "checkout", "-q", "-b", "change")
    return folder / "project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return repository(tmp_path, mlops_yaml="gates: gates.yaml\n", gates_yaml=POLICY)


def judge(
    folder: Path, auc: float = 0.95, target: str = "main", **options: Any
) -> tuple[ExitCode, dict[str, Any], str]:
    (folder / "m.json").write_text(json.dumps({"auc": auc, "ms": 20}))
    said = StringIO()
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **({"GITHUB_BASE_REF": target} if target else {})}
    context = Context(env, folder, said, lambda: TODAY)
    code = Pipeline(Settings(Options(metrics=("m.json",), **options)), context).gate("")
    return code, json.loads((folder / "mlops-out" / "verdicts.json").read_text()), said.getvalue()


def guard_of(verdicts: dict[str, Any]) -> dict[str, Any]:
    [found] = [each for each in verdicts["verdicts"] if each["rule"] == "policy-guard"]
    verdict: dict[str, Any] = found
    return verdict


LOOSER = POLICY.replace("0.9", "0.8")


def test_an_unchanged_policy_is_judged_once(project: Path) -> None:
    code, verdicts, _ = judge(project)
    assert (code, verdicts["guard"], len(verdicts["verdicts"])) == (ExitCode.PASSED, None, 2)


def test_a_change_cannot_lower_its_own_limit(project: Path) -> None:
    commit(project, gates_yaml=LOOSER)
    code, verdicts, log = judge(project, 0.85)
    assert (code, verdicts["outcome"]) == (ExitCode.GATE_FAILED, "fail")
    guard = guard_of(verdicts)
    assert guard["outcome"] == "fail"
    assert guard["notes"] == ["gate `floor`: min 0.9 → 0.8"]
    assert [part["message"] for part in guard["parts"]] == ["auc 0.85 is below 0.9"]
    assert "by that of `main`" in verdicts["reason"]
    assert "gate `floor`: min 0.9 → 0.8" in log
    report = (project / "mlops-out" / "report.md").read_text()
    assert "min 0.9 → 0.8" in report
    assert "auc 0.85 is below 0.9" in report


def test_outside_of_requests_the_policy_at_hand_alone_counts(project: Path) -> None:
    commit(project, gates_yaml=LOOSER)
    assert judge(project, 0.85, target="")[0] is ExitCode.PASSED


def test_a_policy_that_changes_without_need_passes_and_the_difference_is_shown(project: Path) -> None:
    commit(project, gates_yaml=LOOSER)
    code, verdicts, log = judge(project, 0.95)
    assert (code, verdicts["outcome"], guard_of(verdicts)["outcome"]) == (ExitCode.PASSED, "pass", "info")
    assert "gate `floor`: min 0.9 → 0.8" in log


@pytest.mark.parametrize(
    ("policy", "change"),
    [
        ("gates:\n  speed: {metric: ms, max: 50}\n", "gate `floor` is gone"),
        (POLICY.replace("min: 0.9", "min: 0.9, severity: info"), "gate `floor`: severity block → info"),
        (POLICY.replace("metric: auc", "metric: ms"), "gate `floor`: metric auc → ms"),
        (POLICY.replace("min: 0.9", "max: 0.9"), "gate `floor`: rule min → max, min 0.9 → (none), max (none) → 0.9"),
        ("waivers: waivers.yaml\n" + POLICY, "the waiver of `floor` by Ola until 2026-12-31"),
    ],
)
def test_whatever_a_change_does_to_its_policy_the_target_branch_s_counts(
    project: Path, policy: str, change: str
) -> None:
    commit(project, gates_yaml=policy, waivers_yaml=WAIVER)
    code, verdicts, _ = judge(project, 0.85)
    assert (code, verdicts["outcome"]) == (ExitCode.GATE_FAILED, "fail")
    assert any(note.startswith(change) for note in guard_of(verdicts)["notes"])


def unjudged(project: Path, auc: str, **env: str) -> dict[str, Any] | None:
    """What a run with `gates: none` is judged as."""
    plan = replace(Plan("mlops.yaml", str(project), "mlops-out", (), ()), policy_guard=env.pop("guard", ""))
    step = StepResult("a", StepStatus.OK, readings=(MetricReading("auc", Decimal(auc), "m"),))
    run = RunResult(RUN_SCHEMA, "0", "", "", plan, (step,))
    context = Context({"PATH": "/usr/bin:/bin", "HOME": str(project), **env}, project, StringIO(), lambda: TODAY)
    pipeline = Pipeline(Settings(), context)
    verdicts = pipeline.judge(plan).run(plan, run, pipeline.loaded.judging)
    return encode(verdicts) if verdicts is not None else None


def test_a_change_that_switches_judging_off_is_judged_all_the_same(tmp_path: Path) -> None:
    project = repository(tmp_path, mlops_yaml="gates: {floor: {metric: auc, min: 0.9}}\nsteps: {a: {code: x}}\n")
    commit(project, mlops_yaml="gates: none\nsteps: {a: {code: x}}\n")
    assert unjudged(project, "0.5") is None
    for auc, outcome in (("0.5", "fail"), ("0.95", "pass")):
        verdicts = unjudged(project, auc, GITHUB_BASE_REF="main")
        assert verdicts is not None
        assert verdicts["outcome"] == outcome
        assert guard_of(verdicts)["notes"] == ["nothing is judged any more"]


def test_a_project_that_never_judged_anything_may_go_on_so(tmp_path: Path) -> None:
    project = repository(tmp_path, mlops_yaml="gates: none\nsteps: {a: {code: x}}\n")
    commit(project, README_md="x\n")
    assert unjudged(project, "0.5", GITHUB_BASE_REF="main") is None


def test_switching_judging_off_in_a_shallow_clone_is_a_warning_and_not_silence(tmp_path: Path) -> None:
    project = repository(tmp_path, mlops_yaml="gates: none\nsteps: {a: {code: x}}\n")
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "change", f"file://{project}", "shallow")
    verdicts = unjudged(tmp_path / "shallow", "0.5", GITHUB_BASE_REF="main")
    assert verdicts is not None
    assert verdicts["outcome"] == "warn"
    assert unjudged(tmp_path / "shallow", "0.5", GITHUB_BASE_REF="main", guard="off") is None


@pytest.mark.parametrize(
    "variable",
    [
        "GITHUB_BASE_REF",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        "CHANGE_TARGET",
        "SYSTEM_PULLREQUEST_TARGETBRANCHNAME",
        "BITBUCKET_PR_DESTINATION_BRANCH",
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    ],
)
def test_every_ci_system_that_tells_the_target_branch_is_guarded(tmp_path: Path, variable: str) -> None:
    project = repository(tmp_path, mlops_yaml="gates: {floor: {metric: auc, min: 0.9}}\nsteps: {a: {code: x}}\n")
    commit(project, mlops_yaml="gates: none\nsteps: {a: {code: x}}\n")
    assert unjudged(project, "0.5", **{variable: "main"}) is not None


def test_the_target_branch_s_own_word_on_the_guard_counts(tmp_path: Path) -> None:
    project = repository(tmp_path, mlops_yaml="gates: gates.yaml\n", gates_yaml="policy-guard: warn\n" + POLICY)
    commit(project, gates_yaml=LOOSER)
    code, verdicts, _ = judge(project, 0.85)
    assert (code, verdicts["outcome"], guard_of(verdicts)["outcome"]) == (ExitCode.PASSED, "warn", "warn")
    assert "`policy-guard`: warn → (none)" in guard_of(verdicts)["notes"]


def test_a_change_cannot_switch_the_guard_off(project: Path) -> None:
    commit(project, gates_yaml="policy-guard: off\n" + LOOSER)
    assert judge(project, 0.85)[0] is ExitCode.GATE_FAILED


def test_the_target_branch_can_switch_the_guard_off(tmp_path: Path) -> None:
    project = repository(tmp_path, mlops_yaml="gates: gates.yaml\npolicy-guard: off\n", gates_yaml=POLICY)
    commit(project, gates_yaml=LOOSER)
    assert judge(project, 0.85)[0] is ExitCode.PASSED


def test_the_target_branch_as_it_is_now_counts_not_as_it_was_when_the_change_began(project: Path) -> None:
    upstream = project.parent / "upstream"
    commit(upstream, gates_yaml=POLICY.replace("0.9", "0.97"))
    git(project, "fetch", "-q", "origin")
    code, verdicts, _ = judge(project, 0.95)
    assert code is ExitCode.GATE_FAILED
    assert guard_of(verdicts)["notes"] == ["gate `floor`: min 0.97 → 0.9"]


def test_the_first_policy_of_a_project_has_nothing_to_pass(tmp_path: Path) -> None:
    project = repository(tmp_path, README_md="a model\n")
    commit(project, mlops_yaml="gates: gates.yaml\n", gates_yaml=POLICY)
    code, verdicts, _ = judge(project)
    assert (code, verdicts["guard"]) == (ExitCode.PASSED, None)


def test_gates_that_the_workflow_names_are_the_same_on_both_sides(project: Path) -> None:
    code, verdicts, _ = judge(project, 0.85, gates="{floor: {metric: auc, min: 0.8}}")
    assert (code, verdicts["guard"]) == (ExitCode.PASSED, None)


def test_a_policy_of_options_alone_has_no_target_branch(tmp_path: Path) -> None:
    project = repository(tmp_path, README_md="x\n")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(project), "GITHUB_BASE_REF": "main"}
    pipeline = Pipeline(Settings(), Context(env, project, StringIO(), lambda: TODAY))
    step = StepResult("a", StepStatus.OK, readings=(MetricReading("auc", Decimal("0.95"), "m"),))
    gate = PlannedGate("g", "auc", "min", {"min": 0.9}, "--gates")
    for config, outcome in (("", "pass"), ("mlops.yaml", "warn")):
        plan = Plan(config, str(project), "mlops-out", (), (gate,))
        verdicts = pipeline.judge(plan).run(plan, RunResult(RUN_SCHEMA, "0", "", "", plan, (step,)))
        assert verdicts is not None
        assert str(verdicts.outcome) == outcome, "a configuration that was there before the run is missed"


def test_a_policy_file_that_the_workflow_names_is_read_from_the_target_branch(project: Path) -> None:
    commit(project, gates_yaml=LOOSER)
    assert judge(project, 0.85, gates="gates.yaml")[0] is ExitCode.GATE_FAILED


def test_a_shallow_clone_warns_that_nobody_can_tell(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "change", f"file://{project}", "shallow")
    code, verdicts, log = judge(tmp_path / "shallow")
    assert (code, verdicts["outcome"]) == (ExitCode.PASSED, "warn")
    assert "Nobody can tell whether this change passes the policy of `main`" in verdicts["reason"]
    assert "fetch-depth: 0" in log


def test_who_insists_on_the_guard_is_blocked_by_a_shallow_clone(project: Path, tmp_path: Path) -> None:
    commit(project, gates_yaml="policy-guard: block\n" + POLICY)
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "change", f"file://{project}", "shallow")
    assert judge(tmp_path / "shallow")[0] is ExitCode.INCONCLUSIVE


def test_a_target_branch_whose_policy_is_broken_is_told(tmp_path: Path) -> None:
    project = repository(tmp_path, mlops_yaml="gates: gates.yaml\n", gates_yaml="gates: {a: {metric: x, mim: 1}}\n")
    commit(project, gates_yaml=POLICY)
    _, verdicts, _ = judge(project)
    assert "unknown key `mim`" in guard_of(verdicts)["message"]


def test_outside_of_git_nobody_can_tell(tmp_path: Path) -> None:
    shutil.copytree(repository(tmp_path, mlops_yaml="gates: gates.yaml\n", gates_yaml=POLICY), tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / ".git")
    assert judge(tmp_path / "copy")[1]["outcome"] == "warn"


# --- an earlier run


def earlier(folder: Path, commit: str, tree: str = "", **env: str) -> tuple[ExitCode, str]:
    step = StepResult("a", StepStatus.OK, readings=(MetricReading("auc", Decimal("0.95"), "m"),))
    facts = (Fact("source", {"tree": tree}, {"commit": commit}),)
    plan = Plan("mlops.yaml", str(folder), "mlops-out", (), ())
    run = RunResult(RUN_SCHEMA, "0", "", "", plan, (step,), facts)
    (folder / "run.json").write_text(json.dumps(encode(run)))
    said = StringIO()
    context = Context({"PATH": "/usr/bin:/bin", "HOME": str(folder), **env}, folder, said, lambda: TODAY)
    return Pipeline(Settings(), context).gate("run.json"), said.getvalue()


def test_a_run_of_another_commit_is_no_word_on_a_request(tmp_path: Path) -> None:
    project = repository(tmp_path, mlops_yaml="gates: {floor: {metric: auc, min: 0.9}}\n")
    old = git(project, "rev-parse", "HEAD")
    commit(project, model_py="worse()\n")
    here, tree = git(project, "rev-parse", "HEAD", "HEAD^{tree}").split()
    request = {"GITHUB_BASE_REF": "main"}
    assert earlier(project, here, **request)[0] is ExitCode.PASSED
    assert earlier(project, old, tree, **request)[0] is ExitCode.PASSED, "the files are the same"
    assert earlier(project, "", **request)[0] is ExitCode.PASSED, "a run outside of git"
    code, said = earlier(project, old, **request)
    assert code is ExitCode.INCONCLUSIVE
    assert f"But the run is of commit {old[:12]}, and this is {here[:12]}." in said
    code, said = earlier(project, old)
    assert code is ExitCode.PASSED
    assert "But the run is of commit" in said

"""Baselines from a real repository and from disk."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from mlops_action.errors import BaselineUnavailable, ExitCode
from mlops_action.metrics.baseline import Baselines
from mlops_action.repository import Repository

ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, env=ENV, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", f"write {name}")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A branch that changed the accepted metrics, two commits after it left main."""
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "README", "x")
    commit(folder, "metrics/accepted.json", '{"auc": 0.9}')
    git(folder, "checkout", "-q", "-b", "change")
    commit(folder, "metrics/accepted.json", '{"auc": 0.5}')
    git(folder, "tag", "lowered")
    return folder


def baselines(folder: Path, **env: str) -> Baselines:
    return Baselines(folder, Repository(folder, {**ENV, **env}))


def value(folder: Path, locator: str, **env: str) -> Decimal | None:
    readings, _ = baselines(folder, **env).read(locator)
    return next(reading.value for reading in readings if reading.name == "auc")


def refusal(folder: Path, locator: str, **env: str) -> BaselineUnavailable:
    with pytest.raises(BaselineUnavailable) as caught:
        baselines(folder, **env).read(locator)
    assert caught.value.hint
    assert caught.value.exit_code is ExitCode.INCONCLUSIVE
    return caught.value


def test_an_empty_ref_is_the_base_of_the_merge(clone: Path) -> None:
    assert value(clone, "git::metrics/accepted.json") == Decimal("0.9")


def test_a_ref_names_a_branch_tag_or_commit(clone: Path) -> None:
    assert value(clone, "git:main:metrics/accepted.json") == Decimal("0.9")
    assert value(clone, "git:lowered:metrics/accepted.json") == Decimal("0.5")
    assert value(clone, "git:HEAD~1:metrics/accepted.json") == Decimal("0.9")


def test_on_the_target_branch_the_commit_before_is_the_base(clone: Path) -> None:
    git(clone, "checkout", "-q", "main")
    commit(clone, "metrics/accepted.json", '{"auc": 0.7}')
    assert value(clone, "git::metrics/accepted.json") == Decimal("0.9")


def test_what_is_not_committed_makes_no_difference(clone: Path) -> None:
    (clone / "metrics/accepted.json").write_text('{"auc": 0}')
    assert value(clone, "git:HEAD:metrics/accepted.json") == Decimal("0.5")


def test_the_identity_names_the_commit_and_the_bytes(clone: Path) -> None:
    readings, identity = baselines(clone).read("git:main:./metrics/accepted.json")
    main = git(clone, "rev-parse", "main")
    assert identity.locator == "git:main:./metrics/accepted.json"
    assert identity.resolved == f"git:{main}:metrics/accepted.json"
    assert identity.digest == "sha256:" + hashlib.sha256(b'{"auc": 0.9}').hexdigest()
    assert readings[0].origin == f"git:{main}:metrics/accepted.json#/auc"


def test_paths_are_relative_to_the_project_folder_inside_the_repository(clone: Path) -> None:
    assert value(clone / "metrics", "git::accepted.json") == Decimal("0.9")


def test_the_ci_systems_target_branch_is_the_one_compared_with(clone: Path) -> None:
    git(clone, "branch", "release", "main~0")
    git(clone, "checkout", "-q", "release")
    commit(clone, "metrics/accepted.json", '{"auc": 0.8}')
    git(clone, "checkout", "-q", "-b", "fix")
    commit(clone, "metrics/accepted.json", '{"auc": 0.1}')
    assert value(clone, "git::metrics/accepted.json", GITHUB_BASE_REF="release") == Decimal("0.8")


@pytest.fixture
def fix(clone: Path) -> Path:
    """A branch that left `release`, whose accepted value is 0.8, while that of `main` is 0.9."""
    git(clone, "checkout", "-q", "-b", "release", "main")
    commit(clone, "metrics/accepted.json", '{"auc": 0.8}')
    git(clone, "checkout", "-q", "-b", "fix")
    commit(clone, "metrics/accepted.json", '{"auc": 0.1}')
    return clone


@pytest.mark.parametrize(
    ("variable", "branch"),
    [
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "release"),
        ("CHANGE_TARGET", "release"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/release"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "release"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "release"),
        ("CI_DEFAULT_BRANCH", "release"),
        ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "release"),
    ],
)
def test_each_ci_system_tells_the_target_branch_in_its_own_way(fix: Path, variable: str, branch: str) -> None:
    assert value(fix, "git::metrics/accepted.json", **{variable: branch}) == Decimal("0.8")


def event(folder: Path, what: object) -> dict[str, str]:
    (folder.parent / "event.json").write_text(json.dumps(what))
    return {"GITHUB_EVENT_PATH": str(folder.parent / "event.json"), "GITHUB_BASE_REF": ""}


def test_a_merge_queue_compares_with_what_the_change_is_put_on(fix: Path) -> None:
    base = git(fix, "rev-parse", "release")
    for group in ({"base_sha": base, "base_ref": "refs/heads/main"}, {"base_ref": "refs/heads/release"}):
        env = event(fix, {"merge_group": group, "repository": {"default_branch": "main"}})
        assert value(fix, "git::metrics/accepted.json", **env) == Decimal("0.8")


@pytest.mark.parametrize("remote", [False, True], ids=["local", "as actions/checkout fetches it"])
def test_dispatch_schedule_and_push_compare_with_the_default_branch_of_the_event(
    fix: Path, tmp_path: Path, remote: bool
) -> None:
    folder = fix
    if remote:
        git(tmp_path, "clone", "-q", "-b", "fix", str(fix), "other")
        folder = tmp_path / "other"
        git(folder, "remote", "set-head", "origin", "--delete")
    env = event(folder, {"inputs": {}, "repository": {"default_branch": "release"}})
    assert value(folder, "git::metrics/accepted.json", **env) == Decimal("0.8")


def test_a_tag_on_the_default_branch_compares_with_the_commit_before(fix: Path) -> None:
    git(fix, "tag", "v1", "release")
    git(fix, "checkout", "-q", "--detach", "v1")
    env = event(fix, {"ref": "refs/tags/v1", "repository": {"default_branch": "release"}})
    assert value(fix, "git::metrics/accepted.json", **env) == Decimal("0.9")


@pytest.mark.parametrize(
    "what", ["{", [], {"merge_group": None}, {"merge_group": {"base_sha": "--all"}}, {"repository": 3}]
)
def test_an_event_that_tells_nothing_of_use_is_as_none(fix: Path, what: object) -> None:
    env = event(fix, what)
    assert value(fix, "git::metrics/accepted.json", **env) == Decimal("0.9")


def test_a_remote_branch_is_found_by_its_short_name(clone: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "-b", "change", str(clone), "other")
    assert value(tmp_path / "other", "git:main:metrics/accepted.json") == Decimal("0.9")


def test_csv_baselines_are_read_by_their_ending(clone: Path) -> None:
    commit(clone, "m.csv", "metric,value\nauc,0.25\n")
    assert value(clone, "git:HEAD:m.csv") == Decimal("0.25")


def test_a_shallow_clone_is_told_how_to_fetch_more(clone: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "change", f"file://{clone}", "shallow")
    problem = refusal(tmp_path / "shallow", "git:main:metrics/accepted.json")
    assert "there is no commit, branch or tag `main`" in problem.message
    assert "fetch-depth: 0" in problem.hint
    assert "fetch-depth: 0" in refusal(tmp_path / "shallow", "git::metrics/accepted.json", CHANGE_TARGET="main").hint


def test_a_shallow_clone_of_the_target_branch_has_nothing_before(clone: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "main", f"file://{clone}", "shallow")
    assert "fetch-depth: 0" in refusal(tmp_path / "shallow", "git::metrics/accepted.json").hint


def test_a_full_clone_without_the_ref_is_told_to_fetch_it(clone: Path) -> None:
    problem = refusal(clone, "git:mian:metrics/accepted.json")
    assert "`mian`" in problem.message
    assert "git fetch origin mian" in problem.hint


def test_a_file_that_is_not_in_the_commit_is_told_with_the_commit(clone: Path) -> None:
    problem = refusal(clone, "git:main:metrics/other.json")
    assert f"metrics/other.json is not in commit {git(clone, 'rev-parse', 'main')[:12]} (`main`)" in problem.message
    assert "commit the accepted metrics" in problem.hint


def test_the_first_time_the_base_has_no_file_yet(clone: Path) -> None:
    commit(clone, "new.json", '{"auc": 1}')
    problem = refusal(clone, "git::new.json")
    assert "(the base of the merge)" in problem.message
    assert "the first time" in problem.hint


def test_a_folder_without_git_is_told_so(tmp_path: Path) -> None:
    assert "run in a git clone" in refusal(tmp_path, "git:main:m.json").hint


@pytest.mark.parametrize(
    "locator", ["git:main", "git:", "git:main:", "git::", "git:main:/etc/m.json", "git:a:b\0.json"]
)
def test_a_locator_that_names_no_file_is_refused(clone: Path, locator: str) -> None:
    assert "does not name a file in git" in refusal(clone, locator).message


@pytest.mark.parametrize("ref", ["--help", "-n", "--upload-pack=x", "main..change", "main main"])
def test_a_ref_is_never_read_as_an_option_or_a_range(clone: Path, ref: str) -> None:
    refusal(clone, f"git:{ref}:metrics/accepted.json")


def test_a_path_outside_the_repository_is_refused(clone: Path) -> None:
    assert "is not in commit" in refusal(clone, "git:main:../../m.json").message


@pytest.mark.parametrize(("name", "text"), [("b.json", "{"), ("b.json", "version https://git-lfs"), ("b.txt", "1")])
def test_a_baseline_that_is_no_metric_file_is_unavailable(clone: Path, name: str, text: str) -> None:
    commit(clone, name, text)
    problem = refusal_without_hint(clone, f"git:HEAD:{name}")
    assert problem.message.startswith("the baseline is not readable: ")
    assert problem.origin.startswith("git:")


def refusal_without_hint(folder: Path, locator: str) -> BaselineUnavailable:
    with pytest.raises(BaselineUnavailable) as caught:
        baselines(folder).read(locator)
    return caught.value


def test_a_file_on_disk_is_read_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"auc": 0.75}')
    readings, identity = baselines(tmp_path).read("./b.json")
    assert readings[0].value == Decimal("0.75")
    assert (identity.locator, identity.resolved) == ("./b.json", "b.json")


@pytest.mark.parametrize("locator", ["gone.json", ".", "a\0.json", "x" * 300 + ".json", ""])
def test_a_file_that_is_not_on_disk_is_unavailable(tmp_path: Path, locator: str) -> None:
    refusal(tmp_path, locator)


def test_a_baseline_is_read_once_even_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"auc": 1}')
    known = baselines(tmp_path)
    first = known.read("b.json")
    (tmp_path / "b.json").write_text('{"auc": 2}')
    assert known.read("b.json") is first


def test_a_baseline_that_was_missing_stays_missing(tmp_path: Path) -> None:
    known = baselines(tmp_path)
    for _ in range(2):
        with pytest.raises(BaselineUnavailable):
            known.read("b.json")
        (tmp_path / "b.json").write_text('{"auc": 1}')


@pytest.mark.parametrize("locator", ["m.json", "./m.json", "sub/../m.json", "link.json", "hard.json"])
@pytest.mark.parametrize("origin", ["m.json#/auc", "m.json:2", "m.json", "./m.json#/a#b:c"])
def test_the_candidates_own_file_is_no_baseline(tmp_path: Path, locator: str, origin: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "m.json").write_text('{"auc": 1}')
    (tmp_path / "link.json").symlink_to("m.json")
    (tmp_path / "hard.json").hardlink_to(tmp_path / "m.json")
    with pytest.raises(BaselineUnavailable, match="very file") as caught:
        baselines(tmp_path).refuse_itself(locator, origin)
    assert f"git::{locator}" in caught.value.hint


@pytest.mark.parametrize(
    ("locator", "origin"),
    [("b.json", "m.json#/auc"), ("git:HEAD:m.json", "m.json#/auc"), ("gone.json", "m.json#/auc"), ("b.json", "")],
)
def test_another_file_or_commit_is_a_baseline(tmp_path: Path, locator: str, origin: str) -> None:
    (tmp_path / "m.json").write_text('{"auc": 1}')
    (tmp_path / "b.json").write_text('{"auc": 1}')
    baselines(tmp_path).refuse_itself(locator, origin)

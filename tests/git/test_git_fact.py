from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_action.canonical import sha256_file
from mlops_action.codec import encode
from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts.git import MOST_PATHS, GitFact
from mlops_action.facts.interface import Scene
from mlops_action.facts.work_tree import snapshot
from mlops_action.records import Fact, Plan, PlannedStep
from mlops_action.redact import Redactor
from mlops_action.repository import Repository

AUTHOR = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


GIT = ("git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always")


def git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [*GIT, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **AUTHOR, **(env or {})},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, message: str = "work") -> str:
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    (root / "src/train.py").write_text("train()\n")
    (root / "mlops.yaml").write_text("version: 1\n")
    (root / ".gitignore").write_text("*.log\n")
    git(root, "init", "-q")
    commit(root)
    return root


def scene_of(root: Path, *outputs: str, output_dir: str = "mlops-results", metrics: tuple[str, ...] = ()) -> Scene:
    env = {"PATH": os.environ["PATH"], "HOME": str(root.parent)}
    context = Context(env, root, io.StringIO(), lambda: datetime.now(UTC))
    step = PlannedStep("train", "mlops.yaml:1:1", outputs=outputs, metrics=metrics)
    return Scene(
        context,
        Plan("mlops.yaml", str(root), output_dir, (step,), ()),
        ManifestSpec(),
        Redactor(),
        lambda name, _: name,
    )


def fact_of(root: Path, *outputs: str, output_dir: str = "mlops-results", metrics: tuple[str, ...] = ()) -> Fact:
    return GitFact().collect(scene_of(root, *outputs, output_dir=output_dir, metrics=metrics))


def tree_of(root: Path, *outputs: str) -> str:
    fact = fact_of(root, *outputs)
    assert fact.uncaptured == ()
    return str(fact.identity["tree"])


def everything_under(folder: Path) -> dict[str, tuple[str, int]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): (sha256_file(path), time_of(path)) for path in files}


def time_of(path: Path) -> int:
    """When it was written; git sets the time of a shared index whenever it reads it."""
    return 0 if path.name.startswith("sharedindex.") else path.stat().st_mtime_ns


def test_a_clean_work_tree_has_the_tree_of_its_commit(repo: Path) -> None:
    fact = fact_of(repo)
    assert fact.identity == {"tree": git(repo, "rev-parse", "HEAD^{tree}"), "subfolder": ""}
    assert fact.observation["dirty"] is False
    assert fact.observation["changed"] == []
    assert fact.locator["commit"] == git(repo, "rev-parse", "HEAD")
    assert fact.locator["ref"] == "refs/heads/main"


def test_changed_untracked_and_deleted_files_are_in_the_tree_and_ignored_ones_are_not(repo: Path) -> None:
    (repo / "src/train.py").write_text("train(1)\n")
    (repo / "new file.bin").write_bytes(b"\0\1")
    (repo / "mlops.yaml").unlink()
    (repo / "noise.log").write_text("noise")
    fact = fact_of(repo)
    assert fact.observation["changed"] == ["mlops.yaml", "new file.bin", "src/train.py"]
    assert fact.observation["dirty"] is True
    (repo / "noise.log").unlink()
    commit(repo)
    assert fact.identity["tree"] == git(repo, "rev-parse", "HEAD^{tree}")


@pytest.mark.parametrize("dirty", [False, True])
def test_the_git_folder_is_the_same_to_the_last_byte_afterwards(repo: Path, dirty: bool) -> None:
    hook = repo / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch .git/hook-was-here\n")
    hook.chmod(0o755)
    git(repo, "config", "core.splitIndex", "true")
    git(repo, "config", "core.untrackedCache", "true")
    git(repo, "update-index", "--split-index")
    if dirty:
        (repo / "src/train.py").write_text("train(2)\n")
        (repo / "large.bin").write_bytes(os.urandom(300_000))
    before = everything_under(repo / ".git")
    os.utime(repo / "src/train.py")
    assert fact_of(repo, "model/*").identity is not None
    assert everything_under(repo / ".git") == before


def test_no_temporary_file_is_left_behind(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert fact_of(repo).identity is not None
    assert list(scratch.iterdir()) == []


def test_a_same_sized_edit_in_the_instant_of_the_commit_is_seen(repo: Path) -> None:
    """Git finds it by comparing the time of the index with that of the file, so a copy must keep the time."""
    git(repo, "config", "core.trustctime", "false")
    instant = (1_700_000_000, 1_700_000_000)
    os.utime(repo / "src/train.py", instant)
    commit(repo)
    os.utime(repo / ".git/index", instant)
    (repo / "src/train.py").write_text("TRAIN()\n")
    os.utime(repo / "src/train.py", instant)
    assert fact_of(repo).observation["changed"] == ["src/train.py"]


def test_a_file_that_git_was_told_to_believe_unchanged_is_looked_at(repo: Path) -> None:
    git(repo, "update-index", "--assume-unchanged", "src/train.py")
    (repo / "src/train.py").write_text("something else\n")
    assert fact_of(repo).observation["changed"] == ["src/train.py"]


def test_files_left_out_by_a_sparse_checkout_stay_in_the_tree(repo: Path) -> None:
    whole = tree_of(repo)
    git(repo, "sparse-checkout", "set", "--no-cone", "/mlops.yaml")
    assert not (repo / "src/train.py").exists()
    assert tree_of(repo) == whole


def test_a_file_that_became_a_folder_is_in_the_tree_as_a_folder(repo: Path) -> None:
    (repo / "mlops.yaml").unlink()
    (repo / "mlops.yaml").mkdir()
    (repo / "mlops.yaml/inner").write_text("x")
    shutil.rmtree(repo / "src")
    (repo / "src").write_text("now a file")
    tree = tree_of(repo)
    commit(repo)
    assert tree == git(repo, "rev-parse", "HEAD^{tree}")


def test_unresolved_conflicts_do_not_hide_the_work_tree(repo: Path) -> None:
    git(repo, "switch", "-q", "-c", "other")
    (repo / "src/train.py").write_text("other\n")
    commit(repo)
    git(repo, "switch", "-q", "main")
    (repo / "src/train.py").write_text("mine\n")
    commit(repo)
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "other")
    tree = tree_of(repo)
    commit(repo)
    assert tree == git(repo, "rev-parse", "HEAD^{tree}")


def test_outputs_metrics_and_the_output_folder_are_no_source(repo: Path) -> None:
    before = fact_of(repo, "model/", "plots/*.png", "out/**/x.bin", metrics=("metrics.json",))
    for name in (
        "model/model.bin",
        "model/.meta/info",
        "plots/a.png",
        "out/1/2/x.bin",
        "metrics.json",
        "mlops-results/run.json",
    ):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(name)
    after = fact_of(repo, "model/", "plots/*.png", "out/**/x.bin", metrics=("metrics.json",))
    assert after.identity == before.identity
    assert after.observation["dirty"] is False
    (repo / "plots/readme.txt").write_text("source")
    assert (
        tree_of(repo, "model/", "plots/*.png", "out/**/x.bin", "metrics.json", "mlops-results")
        != (before.identity["tree"])
    )


def test_a_committed_output_is_no_source_either(repo: Path) -> None:
    without = tree_of(repo, "model")
    (repo / "model").mkdir()
    (repo / "model/model.bin").write_bytes(b"1")
    commit(repo)
    (repo / "model/model.bin").write_bytes(b"2")
    fact = fact_of(repo, "model")
    assert fact.identity["tree"] == without
    assert fact.observation["dirty"] is False


def test_a_pattern_for_the_whole_project_does_not_empty_the_tree(repo: Path) -> None:
    whole = tree_of(repo)
    assert tree_of(repo, ".", "../elsewhere", "/absolute") == whole
    assert fact_of(repo, output_dir=".").identity["tree"] == whole


@pytest.mark.parametrize("name", ["odd [1]*", "pro:ject", "spa ce"])
def test_a_project_in_a_subfolder_has_the_tree_of_the_whole_repository(repo: Path, name: str) -> None:
    project = repo / name
    (project / "model").mkdir(parents=True)
    (project / "mlops.yaml").write_text("version: 1\n")
    commit(repo)
    clean = git(repo, "rev-parse", "HEAD^{tree}")
    (project / "model/m.bin").write_text("m")
    (project / "results").mkdir()
    (project / "results/run.json").write_text("{}")
    fact = fact_of(project, "model/*", output_dir="results")
    assert fact.identity == {"tree": clean, "subfolder": name}
    (repo / "src/train.py").write_text("elsewhere in the repository\n")
    (repo / "model").mkdir()
    (repo / "model/m.bin").write_text("not this project's output")
    assert fact_of(project, "model/*", output_dir="results").observation["changed"] == ["model/m.bin", "src/train.py"]


def test_an_output_folder_elsewhere_in_the_repository_is_no_source(repo: Path) -> None:
    (repo / "project").mkdir()
    (repo / "project/mlops.yaml").write_text("version: 1\n")
    commit(repo)
    (repo / "results").mkdir()
    (repo / "results/run.json").write_text("{}")
    assert fact_of(repo / "project", output_dir="../results").observation["dirty"] is False
    assert fact_of(repo / "project", output_dir=str(repo / "results")).observation["dirty"] is False
    assert fact_of(repo / "project", output_dir=str(repo.parent / "far")).observation["changed"] == ["results/run.json"]


def test_an_ephemeral_merge_commit_of_the_same_tree_is_the_same_source(repo: Path) -> None:
    first = fact_of(repo)
    base = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "-q", "--detach")
    merge = git(repo, "commit-tree", "HEAD^{tree}", "-p", base, "-p", base, "-m", "merge")
    git(repo, "reset", "-q", "--hard", merge)
    second = fact_of(repo)
    assert second.identity == first.identity
    assert second.locator["commit"] == merge != first.locator["commit"]
    assert second.locator["ref"] == ""


def test_a_shallow_clone_still_tells_the_parents_of_its_commit(repo: Path, tmp_path: Path) -> None:
    parent = git(repo, "rev-parse", "HEAD")
    commit(repo, "second")
    git(tmp_path, "clone", "-q", "--depth", "1", repo.as_uri(), "shallow")
    fact = fact_of(tmp_path / "shallow")
    assert fact.observation["shallow"] is True
    assert fact.locator["parents"] == [parent]


def test_a_linked_work_tree_is_recorded_like_any_other(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "feature")
    (tmp_path / "linked/extra.txt").write_text("x")
    fact = fact_of(tmp_path / "linked")
    assert fact.observation["changed"] == ["extra.txt"]
    assert fact.locator["ref"] == "refs/heads/feature"


@pytest.mark.parametrize(
    ("remote", "recorded"),
    [
        ("https://user:s3cr3t-t0k3n@host.org/a/b.git", "https://host.org/a/b.git"),
        ("https://user:s3cr@t-t0k3n@host.org/a/b.git", "https://host.org/a/b.git"),
        ("https://host.org/a/b.git?private_token=s3cr3t-t0k3n#s3cr3t-t0k3n", "https://host.org/a/b.git"),
        ("ssh://s3cr3t-t0k3n@host.org:22/a/b.git", "ssh://host.org:22/a/b.git"),
        ("s3cr3t-t0k3n@host.org:a/b.git", "host.org:a/b.git"),
        ("git@host.org:a/b.git", "git@host.org:a/b.git"),
        ("https://[s3cr3t-t0k3n@host.org/a/b.git", ""),
    ],
)
def test_the_remote_is_recorded_without_user_information(repo: Path, remote: str, recorded: str) -> None:
    git(repo, "config", "remote.origin.url", remote)
    fact = fact_of(repo)
    assert fact.locator["remote"] == recorded
    assert "t0k3n" not in json.dumps(encode(fact))


def test_another_remote_is_taken_when_there_is_no_origin(repo: Path) -> None:
    git(repo, "remote", "add", "upstream", "https://host.org/up.git")
    assert fact_of(repo).locator["remote"] == "https://host.org/up.git"


def test_many_changed_paths_are_counted_and_not_all_listed(repo: Path) -> None:
    for number in range(MOST_PATHS + 20):
        (repo / f"{number:03}.txt").write_text("x")
    observation = fact_of(repo).observation
    assert len(observation["changed"]) == MOST_PATHS
    assert observation["changed-count"] == MOST_PATHS + 20


def test_names_that_are_not_utf8_are_recorded_readably(repo: Path) -> None:
    (repo / os.fsdecode(b"caf\xe9\n.txt")).write_text("x")
    fact = fact_of(repo)
    assert fact.observation["changed"] == ["caf\\xe9\n.txt"]
    json.dumps(encode(fact), ensure_ascii=False).encode()


def test_a_submodule_is_its_commit_and_one_with_inner_changes_its_tree_as_well(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(repo), "library")
    git(repo, "submodule", "add", "-q", str(tmp_path / "library"), "library")
    commit(repo)
    fact = fact_of(repo)
    assert fact.identity["tree"] == git(repo, "rev-parse", "HEAD^{tree}")
    assert "submodules" not in fact.identity
    assert fact.uncaptured == ()
    (repo / "library/new.py").write_text("not committed")
    changed = fact_of(repo)
    assert changed.identity["tree"] == fact.identity["tree"]
    assert [each["path"] for each in changed.identity["submodules"]] == ["library"]
    assert changed.observation["dirty"]
    (repo / "library/new.py").write_text("not Committed")
    assert fact_of(repo).identity["submodules"] != changed.identity["submodules"]
    (repo / "library/new.py").unlink()
    commit(repo / "library", "moved on")
    assert fact_of(repo).observation["changed"] == ["library"]


def test_a_second_checkout_inside_the_project_counts_by_its_commit(repo: Path) -> None:
    git(repo, "clone", "-q", str(repo), "tools")
    before = fact_of(repo)
    assert before.observation["changed"] == ["tools"]
    commit(repo / "tools", "moved on")
    assert fact_of(repo).identity != before.identity


def test_an_inner_repository_without_commit_is_told_missing(repo: Path) -> None:
    (repo / "fresh").mkdir()
    git(repo / "fresh", "init", "-q")
    (repo / "fresh/file").write_text("x")
    fact = fact_of(repo)
    assert fact.observation["dirty"] is False
    assert [gap.what for gap in fact.uncaptured] == ["files of `fresh/`"]


def test_a_folder_outside_git_gives_no_identity_and_a_reason(tmp_path: Path) -> None:
    fact = fact_of(tmp_path)
    assert fact.identity is None
    assert "not a git repository" in fact.uncaptured[0].why


def test_a_repository_without_commit_gives_no_identity_and_a_reason(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    fact = fact_of(tmp_path)
    assert (fact.identity, [gap.why for gap in fact.uncaptured]) == (None, ["the repository has no commit yet"])


def test_a_missing_git_gives_no_identity_and_a_reason(repo: Path, tmp_path: Path) -> None:
    scene = scene_of(repo)
    (tmp_path / "bin").mkdir()
    bare = replace(scene, context=replace(scene.context, env={"PATH": str(tmp_path / "bin")}))
    fact = GitFact().collect(bare)
    assert (fact.identity, [gap.why for gap in fact.uncaptured]) == (None, ["git refused: git is not installed"])


def test_a_project_that_git_ignores_gives_no_identity_and_a_reason(repo: Path) -> None:
    (repo / "hidden.log").mkdir()
    (repo / "hidden.log/mlops.yaml").write_text("version: 1\n")
    fact = fact_of(repo / "hidden.log")
    assert fact.identity is None
    assert "git ignores the project folder" in fact.uncaptured[0].why


def test_a_broken_repository_gives_no_identity_and_a_reason(repo: Path) -> None:
    (repo / ".git/index").write_bytes(b"not an index")
    fact = fact_of(repo)
    assert fact.identity is None
    assert fact.uncaptured[0].why.startswith("git refused: ")


def test_a_large_untracked_file_is_not_copied_anywhere(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "large.bin").write_bytes(os.urandom(1 << 20))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    with snapshot(Repository(repo, dict(os.environ)), ()) as work_tree:
        assert work_tree.tree != git(repo, "rev-parse", "HEAD^{tree}")
        sizes = [path.stat().st_size for path in (tmp_path / "scratch").rglob("*") if path.is_file()]
    assert sum(sizes) < 1 << 16


def test_a_large_untracked_file_has_the_id_that_git_gives_it(repo: Path) -> None:
    (repo / "large.bin").write_bytes(os.urandom(1 << 20) * 8)
    tree = tree_of(repo)
    blob = git(repo, "hash-object", "large.bin")
    commit(repo)
    assert git(repo, "rev-parse", "HEAD^{tree}") == tree
    assert git(repo, "rev-parse", "HEAD:large.bin") == blob


def test_a_repository_of_another_user_is_read_without_configuring_anything(repo: Path, tmp_path: Path) -> None:
    wrapper = tmp_path / "bin/git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {shutil.which("git")} "$@"\n')
    wrapper.chmod(0o755)
    strange = {"PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "status", env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    scene = scene_of(repo)
    fact = GitFact().collect(replace(scene, context=replace(scene.context, env=strange)))
    assert fact.identity["tree"] == git(repo, "rev-parse", "HEAD^{tree}")

"""Uncommitted changes as a patch: kept, applied in a fresh clone, and refused where it would do harm."""

from __future__ import annotations

import io
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from manifest_project import git, project, written

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts import patch
from mlops_action.facts.git import GitFact
from mlops_action.facts.interface import Scene
from mlops_action.records import Fact, Plan, PlannedStep
from mlops_action.redact import Redactor


def fact_of(root: Path, redactor: Redactor | None = None) -> tuple[Fact, bytes]:
    kept: dict[str, bytes] = {}
    step = PlannedStep("train", "mlops.yaml:1:1", outputs=("model/*", "result.txt"))
    context = Context({"PATH": os.environ["PATH"]}, root, io.StringIO(), lambda: datetime(2026, 1, 2, tzinfo=UTC))
    plan = Plan("mlops.yaml", str(root), "mlops-out", (step,), ())

    def keep(name: str, data: bytes) -> str:
        kept[name] = data
        return name

    fact = GitFact().collect(Scene(context, plan, ManifestSpec(), redactor or Redactor(), keep))
    return fact, kept.get("source.patch", b"")


def why(fact: Fact) -> str:
    return next((gap.why for gap in fact.uncaptured if gap.what == "uncommitted changes"), "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


def applied_in_a_fresh_clone(root: Path, data: bytes) -> str:
    """The tree that the patch makes of the commit, found by plain git."""
    clone = root.parent / "clone"
    git(root.parent, "clone", "-q", str(root), str(clone))
    command = ["git", "apply", "--index", "--binary", "-"]
    subprocess.run(command, cwd=clone, input=data, check=True, capture_output=True)
    return git(clone, "write-tree")


def test_edits_new_files_and_deletions_re_apply_in_a_fresh_clone(root: Path) -> None:
    written(root, {"src/model.py": "changed\n", "src/new file.py": "new\n", "deep/er/x.txt": "no line end"})
    (root / "data/b.csv").unlink()
    (root / "binary.dat").write_bytes(bytes(range(256)) * 10)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("src/model.py")
    fact, data = fact_of(root)
    assert fact.uncaptured == ()
    assert applied_in_a_fresh_clone(root, data) == fact.identity["tree"]
    assert fact.locator["patch"]["size"] == len(data)


def test_crlf_and_odd_names_re_apply_too(root: Path) -> None:
    (root / "src/model.py").write_bytes(b"a\r\nb\r\n")
    (root / "caf\u00e9 \u201cx\u201d.txt").write_text("odd\n")
    (root / os.fsdecode(b"latin\xe9.txt")).write_text("odder\n")
    fact, data = fact_of(root)
    assert applied_in_a_fresh_clone(root, data) == fact.identity["tree"]


def test_a_project_below_the_top_of_its_repository_gets_the_whole_patch(root: Path) -> None:
    written(root, {"models/churn/mlops.yaml": "version: 1\n"})
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "second")
    written(root, {"models/churn/new.py": "new\n", "src/model.py": "changed\n"})
    fact, data = fact_of(root / "models" / "churn")
    assert fact.uncaptured == ()
    assert applied_in_a_fresh_clone(root, data) == fact.identity["tree"]


def test_results_are_no_part_of_the_patch(root: Path) -> None:
    written(root, {"src/model.py": "changed\n", "result.txt": "result\n"})
    _, data = fact_of(root)
    assert b"src/model.py" in data
    assert b"result.txt" not in data


def test_a_clean_tree_has_no_patch(root: Path) -> None:
    fact, data = fact_of(root)
    assert (fact.locator["patch"], data) == (None, b"")


def test_a_patch_that_is_too_large_is_not_kept_and_that_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch, "MOST_BYTES", 1000)
    (root / "large.txt").write_text("x" * 1001)
    fact, data = fact_of(root)
    assert (fact.locator["patch"], data) == (None, b"")
    assert "at most 1000 are kept" in why(fact)


@pytest.mark.parametrize("text", ["token = 'pl4nt3d-t0k3n'\n", "url = https://me:pw@example.org/x\n"])
def test_a_patch_with_a_secret_is_not_kept(root: Path, text: str) -> None:
    written(root, {"src/settings.py": text})
    fact, data = fact_of(root, Redactor(["pl4nt3d-t0k3n"]))
    assert (fact.locator["patch"], data) == (None, b"")
    assert "secret" in why(fact)


def test_taking_a_patch_leaves_the_repository_as_it_was(root: Path) -> None:
    written(root, {"src/model.py": "changed\n", "src/new.py": "new\n"})

    def state() -> dict[str, tuple[int, bytes]]:
        files = [path for path in (root / ".git").rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    fact_of(root)
    assert state() == before


# --- what lies elsewhere


def test_submodules_are_listed_with_commit_and_address_without_user(root: Path, tmp_path: Path) -> None:
    inner = project(tmp_path / "inner")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "libs/inner")
    git(root, "config", "--file", ".gitmodules", "submodule.libs/inner.url", "https://me:pw@example.org/inner.git")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "second")
    fact, _ = fact_of(root)
    commit = git(inner, "rev-parse", "HEAD")
    assert fact.locator["submodules"] == [
        {"path": "libs/inner", "commit": commit, "url": "https://example.org/inner.git"}
    ]


def test_a_git_lfs_pointer_in_place_of_its_file_is_a_gap(root: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    written(root, {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "weights.bin": pointer})
    git(root, "-c", "filter.lfs.clean=cat", "add", "-A")
    git(root, "-c", "filter.lfs.clean=cat", "commit", "-q", "-m", "second")
    fact, _ = fact_of(root)
    assert fact.observation["lfs-pointers"] == [
        {"path": "weights.bin", "kind": "lfs", "sha256": "a" * 64, "size": 12345}
    ]
    assert [gap.what for gap in fact.uncaptured] == ["content of `weights.bin`"]

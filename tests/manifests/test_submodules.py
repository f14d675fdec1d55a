"""Uncommitted changes inside submodules: recorded, verified, and there again in a fresh clone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from acceptance.scratch import commit_all
from manifest_project import git, project, record, written, wrong

from mlops_action.manifests.read import read_manifest
from mlops_action.manifests.reproduce.stages import reproduce
from mlops_action.manifests.reproduce.workplace import Wishes, Workplace


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    library = project(tmp_path / "library")
    root = project(tmp_path / "project")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "library")
    commit_all(root, "submodule")
    written(root, {"library/src/model.py": "changed inside\n", "library/new.py": "new inside\n"})
    record(root)
    return root


def test_what_changed_inside_a_submodule_is_recorded_with_a_patch(root: Path) -> None:
    manifest = read_manifest(root / "mlops-out").value
    assert [each["path"] for each in manifest["identity"]["source"]["submodules"]] == ["library"]
    [kept] = manifest["locator"]["source"]["submodule-patches"]
    assert b"new inside" in (root / "mlops-out" / kept["patch"]["file"]).read_bytes()
    assert wrong(root) == set()


def test_one_changed_byte_inside_a_submodule_is_found_and_named(root: Path) -> None:
    written(root, {"library/src/model.py": "changed insidE\n"})
    assert {(kind, state) for kind, what, state in wrong(root) if "library" in what} == {("code", "altered")}


def test_a_clean_submodule_that_is_changed_later_is_named_by_file(tmp_path: Path, root: Path) -> None:
    git(root / "library", "checkout", "-q", ".")
    (root / "library/new.py").unlink()
    record(root)
    assert wrong(root) == set()
    written(root, {"library/src/model.py": "another\n"})
    assert ("code", "library/src/model.py", "altered") in wrong(root)


def test_the_patch_of_a_submodule_leads_to_its_tree_in_a_fresh_clone(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    (tmp_path / ".gitconfig").write_text('[protocol "file"]\n\tallow = always\n')
    place = Workplace(read_manifest(root / "mlops-out"), folder, env, Wishes(source=str(root)))
    checks = reproduce(place, ["record", "source"])
    assert [(check.name, check.why) for check in checks if not check.ok] == []
    assert (folder / "source/library/new.py").read_text() == "new inside\n"

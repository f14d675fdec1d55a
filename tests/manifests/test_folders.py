"""Folders as one digest: recomputed by others, and named file by file all the same."""

from __future__ import annotations

import json
import locale
import shutil
import subprocess
from pathlib import Path

import pytest
from in_toto.resolver._resolver import DirectoryResolver
from manifest_project import project, record, written, wrong

from mlops_action.dirhash import dir_hash
from mlops_action.facts.data import MOST_LISTED
from mlops_action.formats import EXPORTS
from mlops_action.manifests.diff import differences
from mlops_action.manifests.explain import explanation
from mlops_action.registry import load

PIPELINE = "find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum | cut -f1 -d' '"
NUL_SAFE = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum | cut -f1 -d' '"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {f"d{number % 7}/f-{number}.bin": f"content {number}" for number in range(300)}
    written(tmp_path / "data", files | {"a.b/c": "1", "a/c": "2", "a-b": "3", "é.txt": "4", ".hidden": "5"})
    return tmp_path / "data"


def by_shell(folder: Path, command: str) -> str:
    done = subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def resolved(folder: Path) -> str:
    """What the resolver says. It sets the locale of the whole process, which is put back."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        [digest] = DirectoryResolver().hash_artifacts([f"dir:{folder}"]).values()
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return str(digest["sha256"])


def test_the_digest_is_that_of_the_coreutils_pipeline(folder: Path) -> None:
    assert dir_hash(folder) == by_shell(folder, PIPELINE)


def test_names_with_spaces_agree_with_the_pipeline_that_is_safe_for_them(folder: Path) -> None:
    written(folder, {"with a space": "6"})
    assert dir_hash(folder) == by_shell(folder, NUL_SAFE)


def test_the_digest_is_that_of_in_toto_s_resolver(folder: Path) -> None:
    assert resolved(folder) == dir_hash(folder)


def test_an_empty_folder_has_the_digest_that_the_resolver_gives_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert resolved(tmp_path / "empty") == dir_hash(tmp_path / "empty")


def test_links_are_left_out_as_find_leaves_them_out(folder: Path, tmp_path: Path) -> None:
    before = dir_hash(folder)
    (tmp_path / "secret").write_text("outside")
    (folder / "link").symlink_to(tmp_path / "secret")
    assert dir_hash(folder) == before == by_shell(folder, PIPELINE)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    root = project(tmp_path / "project")
    written(root, {f"raw/{number}.csv": str(number) for number in range(MOST_LISTED + 1)})
    record(root)
    return root


def test_many_files_are_one_digest_and_a_list_that_coreutils_check(many: Path) -> None:
    assert (many / "mlops-out/data.sha256").is_file()
    done = subprocess.run(["sha256sum", "--check", "--quiet", "mlops-out/data.sha256"], cwd=many, check=False)
    assert done.returncode == 0
    assert len((many / "mlops-out/manifest.json").read_bytes()) < 100_000


def test_each_of_many_files_is_named_when_it_changed(many: Path) -> None:
    assert wrong(many) == set()
    (many / "raw/17.csv").write_text("changed")
    (many / "raw/18.csv").unlink()
    written(many, {"raw/new.csv": "new"})
    found = {("data", "raw/17.csv", "altered"), ("data", "raw/18.csv", "missing"), ("data", "raw/new.csv", "extra")}
    assert wrong(many) == found


def test_a_changed_list_is_found_by_the_digest_in_the_manifest(many: Path) -> None:
    path = many / "mlops-out/data.sha256"
    path.write_bytes(path.read_bytes().replace(b"raw/17.csv", b"raw/71.csv"))
    assert ("data", "data.sha256", "altered") in wrong(many)


def test_many_files_are_counted_and_compared_and_exported_by_their_digest(many: Path) -> None:
    before = json.loads((many / "mlops-out/manifest.json").read_bytes())
    digest = before["identity"]["data"]["dirHash"]
    (many / "raw/17.csv").write_text("changed")
    record(many)
    after = json.loads((many / "mlops-out/manifest.json").read_bytes())
    assert any("all declared data" in change.words for change in differences(before, after))
    assert f"{MOST_LISTED + 4} files" in explanation(before)
    for form in ("slsa", "cyclonedx"):
        assert digest.encode() in load(EXPORTS[form])().render(before).files[0][1]


def test_the_file_system_s_order_does_not_matter(many: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(many, other)
    shutil.rmtree(other / "raw")
    names = sorted((path.name for path in (many / "raw").iterdir()), reverse=True)
    for name in names:
        written(other, {f"raw/{name}": (many / "raw" / name).read_text()})
    before = (many / "mlops-out/data.sha256").read_bytes()
    record(other)
    assert (other / "mlops-out/data.sha256").read_bytes() == before

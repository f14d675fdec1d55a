"""One commit, checked out with other line ends: the same source, and other data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import clean_env, tool
from manifest_project import FILES, git, project, record, written, wrong

from mlops_action.manifests.diff import differences

TEXT = "a,b\n1,2\n"


def clone(origin: Path, name: str, *settings: str) -> Path:
    """A clean clone whose declared data are files of the commit."""
    folder = origin.parent / name
    git(origin.parent, "clone", "-q", *(part for each in settings for part in ("-c", each)), str(origin), name)
    assert git(folder, "status", "--porcelain") == ""
    record(folder)
    return folder


def manifest(folder: Path) -> Any:
    return json.loads((folder / "mlops-out" / "manifest.json").read_bytes())


def source(folder: Path, part: str) -> Any:
    return manifest(folder)[part]["source"]


def digests(folder: Path) -> dict[str, str]:
    [step] = manifest(folder)["results"]["steps"]
    return {each["path"]: each["sha256"] for each in (*step["inputs"], *manifest(folder)["identity"]["data"])}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project(tmp_path_factory.mktemp("line-ends") / "origin")
    written(root, {".gitignore": FILES[".gitignore"].replace("raw/\n", ""), "raw/plain.csv": TEXT})
    (root / "raw/binary.csv").write_bytes(b"\0\n1\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "data")
    return root


@pytest.fixture(scope="module")
def clones(origin: Path) -> tuple[Path, Path]:
    return clone(origin, "as-it-is", "core.autocrlf=false"), clone(origin, "converted", "core.autocrlf=true")


def test_both_clones_have_the_commit_and_tree_of_the_repository(origin: Path, clones: tuple[Path, Path]) -> None:
    for folder in clones:
        assert source(folder, "locator")["commit"] == git(origin, "rev-parse", "HEAD")
        assert source(folder, "identity")["tree"] == git(origin, "rev-parse", "HEAD^{tree}")
        assert source(folder, "observation")["dirty"] is False


def test_each_clone_records_the_bytes_that_its_run_read(clones: tuple[Path, Path]) -> None:
    plain, converted = (digests(folder) for folder in clones)
    for name in ("data/a.csv", "raw/plain.csv"):
        assert plain[name] == hashlib.sha256(TEXT.encode()).hexdigest()
        assert converted[name] == hashlib.sha256(TEXT.replace("\n", "\r\n").encode()).hexdigest()
    assert plain["raw/binary.csv"] == converted["raw/binary.csv"]


def test_each_clone_records_the_setting_and_has_an_id_of_its_own(clones: tuple[Path, Path]) -> None:
    assert [source(folder, "observation")["autocrlf"] for folder in clones] == ["false", "true"]
    assert len({manifest(folder)["manifest-id"] for folder in clones}) == 2


def test_the_difference_is_told_as_one_of_data_with_the_likely_reason(clones: tuple[Path, Path]) -> None:
    first, second = clones
    done = tool(first, ["manifest", "diff", "mlops-out", str(second / "mlops-out")], clean_env(first.parent / "home"))
    assert done.code == 0, done.text
    assert "data file raw/plain.csv changed from" in done.text
    reason = "perhaps only its line ends: the source tree is the same, and git's `core.autocrlf` was false and is true"
    assert reason in done.text
    found = differences(manifest(first), manifest(second))
    assert {each.kind for each in found} == {"data"}
    assert {each.what for each in found} == {"data/a.csv", "data/b.csv", "raw/big.csv", "raw/plain.csv"}


def test_an_end_of_line_that_attributes_leave_to_the_machine_is_told_as_well(origin: Path) -> None:
    root = origin.parent / "attributes"
    git(origin.parent, "clone", "-q", str(origin), root.name)
    written(root, {".gitattributes": "*.csv text\n"})
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "attributes")
    one, two = clone(root, "lf", "core.eol=lf"), clone(root, "crlf", "core.eol=crlf")
    found = differences(manifest(one), manifest(two))
    assert "git's `core.eol` was lf and is crlf" in next(each.words for each in found if each.what == "data/a.csv")


def test_data_that_changed_otherwise_is_not_put_down_to_line_ends(clones: tuple[Path, Path]) -> None:
    first, second = manifest(clones[0]), manifest(clones[1])
    second["identity"]["source"]["tree"] = "f" * 40
    assert not [each for each in differences(first, second) if "line ends" in each.words]
    second = manifest(clones[1])
    second["results"]["steps"][0]["inputs"][0] |= {"size": len(TEXT)}
    [same_size] = [each for each in differences(first, second) if each.what == "data/a.csv"]
    assert "line ends" not in same_size.words


def test_verify_in_the_other_clone_finds_the_data_altered_and_the_source_whole(clones: tuple[Path, Path]) -> None:
    ours, theirs = (folder / "mlops-out" / "manifest.json" for folder in reversed(clones))
    kept = ours.read_bytes()
    ours.write_bytes(theirs.read_bytes())
    found = wrong(clones[1])
    ours.write_bytes(kept)
    assert {(kind, state) for kind, _, state in found} == {("data", "altered"), ("input", "altered")}
    assert ("data", "raw/plain.csv", "altered") in found

"""A manifest against what is there: each kind of thing, missing, altered or extra."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from acceptance.scratch import clean_env, tool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifest_project import findings, git, project, record, written, wrong

from mlops_action.errors import BadDocument
from mlops_action.manifests.findings import Is
from mlops_action.manifests.read import read_manifest

RELEASED = sorted((Path(__file__).parent / "released").glob("*.json"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project(tmp_path_factory.mktemp("verify") / "project")
    record(root)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "elsewhere" / "project"))


def test_an_unchanged_project_is_verified_in_another_folder_too(root: Path) -> None:
    assert wrong(root) == set()
    kinds = {each.kind for each in findings(root) if each.state is Is.RIGHT}
    assert kinds == {"manifest", "code", "data", "input", "output", "executed notebook"}


CHANGES = [
    ("src/model.py", "code"),
    ("train.ipynb", "code"),
    ("data/a.csv", "input"),
    ("raw/big.csv", "data"),
    ("model/model.joblib", "output"),
    ("metrics.json", "output"),
]


@pytest.mark.parametrize(("name", "kind"), CHANGES)
def test_one_changed_byte_is_found_and_its_file_is_named(root: Path, name: str, kind: str) -> None:
    data = bytearray((root / name).read_bytes())
    data[0] ^= 1
    (root / name).write_bytes(bytes(data))
    assert (kind, name, "altered") in wrong(root)


@pytest.mark.parametrize("name", ["data/a.csv", "raw/big.csv", "model/model.joblib"])
def test_a_same_size_edit_with_its_old_time_is_found(root: Path, name: str) -> None:
    seen = (root / name).stat()
    (root / name).write_bytes(bytes(byte ^ 1 for byte in (root / name).read_bytes()))
    os.utime(root / name, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert name in {what for _, what, _ in wrong(root)}


@pytest.mark.parametrize(("name", "kind"), CHANGES)
def test_a_missing_file_is_named(root: Path, name: str, kind: str) -> None:
    (root / name).unlink()
    assert (kind, name, "missing") in wrong(root)


@pytest.mark.parametrize(
    ("name", "kind"), [("src/new.py", "code"), ("data/c.csv", "input"), ("raw/c.csv", "data"), ("model/x", "output")]
)
def test_an_extra_file_that_fits_the_declaration_is_named(root: Path, name: str, kind: str) -> None:
    written(root, {name: "new"})
    assert (kind, name, "extra") in wrong(root)


def test_a_changed_executed_notebook_is_named(root: Path) -> None:
    (root / "mlops-out/notebooks/train.ipynb").write_text("changed")
    assert wrong(root) == {("executed notebook", "notebooks/train.ipynb", "altered")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_the_manifest_itself_is_found(made: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray((made / "mlops-out/manifest.json").read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / "manifest.json").write_bytes(bytes(content))
    with suppress(BadDocument):
        assert read_manifest(tmp_path).problems()


def test_a_manifest_with_a_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"identity": {}, "identity": {}}')
    with pytest.raises(BadDocument, match="twice"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("value", [1e16, 2.0**53, -1e17, 1e21, 1e300, 123456789012345678901234567890, 0.1])
def test_a_metric_of_any_size_leaves_a_manifest_that_is_verified(tmp_path: Path, value: float) -> None:
    root = project(tmp_path / "project")
    record(root, accuracy=Decimal(value))
    assert wrong(root) == set()


def test_uncommitted_changes_are_verified_by_their_patch(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    written(root, {"src/model.py": "changed\n", "src/new.py": "new\n"})
    record(root)
    assert wrong(root) == set()
    (root / "src/new.py").write_text("other\n")
    assert wrong(root) == {("code", "src/new.py", "altered")}


def test_a_changed_patch_is_found(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    written(root, {"src/model.py": "changed\n"})
    (record(root) / "source.patch").write_text("other")
    assert wrong(root) == {("patch", "source.patch", "altered")}


def test_another_commit_of_the_same_tree_is_the_same_code(root: Path) -> None:
    git(root, "commit", "-q", "--allow-empty", "-m", "second")
    assert wrong(root) == set()


def test_without_git_the_code_counts_as_not_checked_and_the_notebook_is(root: Path) -> None:
    shutil.rmtree(root / ".git")
    assert wrong(root) == set()
    assert [each.state for each in findings(root) if each.what == "source tree"] == [Is.UNCHECKED]
    (root / "train.ipynb").write_text("changed")
    assert wrong(root) == {("code", "train.ipynb", "altered")}


def test_a_link_that_leads_out_of_the_project_is_not_followed(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "raw/big.csv", tmp_path / "big.csv")
    (root / "raw/big.csv").unlink()
    (root / "raw/big.csv").symlink_to(tmp_path / "big.csv")
    assert ("data", "raw/big.csv", "missing") in wrong(root)


def test_odd_names_are_found_again(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    (root / os.fsdecode(b"data/caf\xe9.csv")).write_text("1")
    (root / "data/back\\slash.csv").write_text("2")
    record(root)
    assert wrong(root) == set()
    (root / "data/back\\slash.csv").write_text("3")
    assert ("input", "data/back\\\\slash.csv", "altered") in wrong(root)


def test_verifying_writes_nothing_into_the_repository(root: Path) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        files = [path for path in (root / ".git").rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    findings(root)
    assert state() == before


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_released_manifest_is_valid_for_ever(path: Path) -> None:
    assert read_manifest(path).problems() == []


# --- packages


def installed(folder: Path) -> Path:
    """An environment with one package, made by hand."""
    import base64
    import hashlib

    site = folder / "lib" / "python3.11" / "site-packages"
    written(site, {"pkg/__init__.py": "value = 1\n", "pkg-1.0.dist-info/METADATA": "Name: pkg\nVersion: 1.0\n\n"})
    rows = []
    for name in ("pkg/__init__.py", "pkg-1.0.dist-info/METADATA"):
        data = (site / name).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}")
    written(site, {"pkg-1.0.dist-info/RECORD": "\n".join([*rows, "pkg-1.0.dist-info/RECORD,,"]) + "\n"})
    return site


def with_packages(root: Path, site: Path) -> None:
    from mlops_action.facts.distributions import distributions_on
    from mlops_action.records import Fact

    listed = [each.identity() for each in distributions_on([str(site)])]
    python = Fact(
        "python",
        identity=[{"kernels": ["python3"], "implementation": "cpython", "version": "3.11", "distributions": listed}],
        locator=[{"kernels": ["python3"], "executable": str(site.parents[2] / "bin/python"), "origins": {}}],
    )
    record(root, more=(python,))


def changed_file(site: Path) -> None:
    (site / "pkg/__init__.py").write_text("value = 2\n")


def removed_package(site: Path) -> None:
    shutil.rmtree(site / "pkg-1.0.dist-info")


def another_package(site: Path) -> None:
    written(site, {"new-2.0.dist-info/METADATA": "Name: new\nVersion: 2.0\n\n"})


@pytest.mark.parametrize(
    ("change", "kind", "what", "state"),
    [
        (changed_file, "package file", "pkg/__init__.py", "altered"),
        (removed_package, "package", "pkg", "missing"),
        (another_package, "package", "new", "extra"),
    ],
)
def test_a_changed_package_is_named(
    root: Path, tmp_path: Path, change: Callable[[Path], None], kind: str, what: str, state: str
) -> None:
    site = installed(tmp_path / "venv")
    with_packages(root, site)
    assert wrong(root, packages=True) == set()
    change(site)
    assert (kind, what, state) in wrong(root, packages=True)


def test_verifying_packages_never_starts_what_the_manifest_names(root: Path, tmp_path: Path) -> None:
    site = installed(tmp_path / "venv")
    with_packages(root, site)
    program = tmp_path / "venv" / "bin" / "python"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    wrong(root, packages=True)
    assert not (tmp_path / "started").exists()


# --- the command


def test_the_command_ends_with_one_and_says_what_is_wrong(root: Path, tmp_path: Path) -> None:
    env = clean_env(tmp_path / "home")
    assert tool(root, ["manifest", "verify"], env).code == 0
    (root / "data/a.csv").write_text("changed")
    ended = tool(root, ["manifest", "verify"], env)
    assert ended.code == 1
    assert "altered" in ended.text
    assert "data/a.csv" in ended.text
    said = json.loads(tool(root, ["manifest", "verify", "--json"], env).text)
    assert said["ok"] is False


def test_strict_verification_fails_on_what_cannot_be_checked(root: Path, tmp_path: Path) -> None:
    env = clean_env(tmp_path / "home")
    shutil.rmtree(root / ".git")
    assert tool(root, ["manifest", "verify"], env).code == 0
    assert tool(root, ["manifest", "verify", "--strict"], env).code == 1

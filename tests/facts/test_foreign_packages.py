"""Packages that are not Python's: of R and of RPM, with the real programs."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from manifest_project import project, record

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts.interface import Scene
from mlops_action.facts.os_packages import OsPackages
from mlops_action.facts.r_packages import RPackages, packages_in
from mlops_action.manifests.diff import differences
from mlops_action.manifests.findings import Is
from mlops_action.manifests.packages import r_differences
from mlops_action.manifests.read import read_manifest
from mlops_action.manifests.verify import Place, verify
from mlops_action.records import Fact, KernelChoice, Plan, PlannedStep
from mlops_action.redact import Redactor
from mlops_action.repository import Repository

OWN = "Package: own\nVersion: 0.1-2\nRemoteType: github\nRemoteRepo: own\nRemoteSha: abc123\nBuilt: R 4.2.2; ; x\n"


def scene_of(root: Path, *steps: PlannedStep, path: str = os.environ["PATH"]) -> Scene:
    context = Context({"PATH": path, "HOME": str(root)}, root, io.StringIO(), lambda: datetime.now(UTC))
    return Scene(context, Plan("", ".", "out", steps, ()), ManifestSpec(), Redactor())


def r_kernel(command: str = "R") -> PlannedStep:
    return PlannedStep(
        "fit", "", kernel=KernelChoice("ir", "/k/ir", "R", (command, "--slave", "-e", "IRkernel::main()"))
    )


@pytest.fixture(scope="module")
def r() -> str:
    program = shutil.which("R")
    if program is None:
        pytest.skip("R is not installed")
    return program


@pytest.mark.kernel
def test_r_s_own_answer_agrees_with_the_recorded_packages(r: str, tmp_path: Path) -> None:
    fact = RPackages().collect(scene_of(tmp_path, r_kernel()))
    [found] = fact.identity
    code = "i <- installed.packages(); i <- i[!duplicated(i[, 1]), ]; cat(paste(i[, 1], i[, 3]), sep='\\n')"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    said = subprocess.run([r, "--slave", "-e", code], capture_output=True, text=True, check=True, env=env, cwd=tmp_path)
    assert {f"{each['name']} {each['version']}" for each in found["packages"]} == set(said.stdout.split("\n")) - {""}
    assert found["kernels"] == ["ir"]
    assert {each["source"] for each in found["packages"] if each["name"] in {"stats", "utils"}} == {"R"}
    assert fact.uncaptured == ()


@pytest.mark.kernel
def test_a_library_that_the_project_names_is_seen_as_r_sees_it(r: str, tmp_path: Path) -> None:
    package = tmp_path / "library/own/DESCRIPTION"
    package.parent.mkdir(parents=True)
    package.write_text(OWN)
    (tmp_path / ".Rprofile").write_text("print('hello'); .libPaths(c('library', .libPaths()))\n")
    [found] = RPackages().collect(scene_of(tmp_path, r_kernel())).identity
    own = {"name": "own", "version": "0.1-2", "built": "R 4.2.2", "source": "github own abc123"}
    assert own in found["packages"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/nowhere/R", "R cannot be asked"),
        ("ark", "its command `ark` is not R"),
        ("Rscript", "there is no `Rscript` on PATH"),
    ],
)
def test_an_r_that_cannot_be_asked_is_told(tmp_path: Path, command: str, why: str) -> None:
    fact = RPackages().collect(scene_of(tmp_path, r_kernel(command), path=str(tmp_path)))
    assert fact.identity is None
    assert [gap.what for gap in fact.uncaptured] == ["packages of kernel `ir`"]
    assert why in fact.uncaptured[0].why


def library(folder: Path, version: str = "1.0") -> str:
    (folder / "own").mkdir(parents=True, exist_ok=True)
    (folder / "own/DESCRIPTION").write_text(
        f"Package: own\nVersion: {version}\nRepository: CRAN\nBuilt: R 4.2.2; ; x\n"
    )
    (folder / "broken").mkdir(exist_ok=True)
    (folder / "broken/DESCRIPTION").write_text("no package")
    return str(folder)


def test_of_two_packages_of_a_name_the_first_library_counts(tmp_path: Path) -> None:
    first, second = library(tmp_path / "a"), library(tmp_path / "b", "2.0")
    assert packages_in([first, second, str(tmp_path / "none")]) == [
        {"name": "own", "version": "1.0", "source": "CRAN", "built": "R 4.2.2"}
    ]


def test_a_changed_r_package_is_found_by_verify_and_told_by_diff(tmp_path: Path) -> None:
    where = library(tmp_path / "library")
    root = project(tmp_path / "project")
    fact = {"kernels": ["ir"], "version": "4.2.2", "packages": packages_in([where])}
    place = {"kernels": ["ir"], "executable": "R", "libraries": [where]}
    before = json.loads((record(root, more=(Fact("r", [fact], [place]),)) / "manifest.json").read_bytes())
    assert r_states(root) == {"own": Is.RIGHT}
    library(tmp_path / "library", "1.1")
    assert r_states(root) == {"own": Is.ALTERED}
    fact["packages"] = packages_in([where])
    after = json.loads((record(root, more=(Fact("r", [fact], [place]),)) / "manifest.json").read_bytes())
    assert [each.words for each in differences(before, after)] == [
        "R package own changed from 1.0 (CRAN) to 1.1 (CRAN)"
    ]


def r_states(root: Path) -> dict[str, Is]:
    found = verify(read_manifest(root / "mlops-out"), Place(root, Repository(root, os.environ)))
    return {each.what: each.state for each in found if each.kind == "R package"}


def test_an_added_and_a_removed_r_package_are_named() -> None:
    a, b = {"name": "a", "version": "1"}, {"name": "b", "version": "1"}
    assert {each.what: each.state for each in r_differences([a], [b])} == {"a": Is.MISSING, "b": Is.EXTRA}


# --- RPM


SPEC = """\
Name: tiny
Version: 1.2
Release: 3
Epoch: 4
Summary: x
License: MIT
BuildArch: noarch
%description
x
%files
"""


@pytest.fixture(scope="module")
def rpm_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system whose packages RPM knows."""
    if shutil.which("rpmbuild") is None:
        pytest.skip("rpm is not installed")
    if os.geteuid() != 0:
        pytest.skip("only root can keep a database of RPM below another root")
    top = tmp_path_factory.mktemp("rpm")
    (top / "tiny.spec").write_text(SPEC)
    env: dict[str, Any] = {"PATH": os.environ["PATH"], "HOME": str(top)}

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, env=env)

    run("rpmbuild", "-bb", "--define", f"_topdir {top}", str(top / "tiny.spec"))
    root = top / "root"
    (root / "var/lib/rpm").mkdir(parents=True)
    [package] = top.glob("RPMS/noarch/*.rpm")
    where = ("--dbpath", "/var/lib/rpm")
    run("rpm", f"--root={root}", *where, "--initdb")
    run("rpm", f"--root={root}", *where, "-i", "--nodeps", "--force", "--noplugins", str(package))
    return root


def test_packages_of_rpm_are_listed_with_epoch_release_and_architecture(rpm_root: Path, tmp_path: Path) -> None:
    fact = OsPackages(rpm_root).collect(scene_of(tmp_path))
    assert fact.observation == ["tiny=4:1.2-3:noarch"]
    assert fact.identity["manager"] == "rpm"
    assert fact.identity["count"] == 1


def test_a_database_of_rpm_without_rpm_is_told(tmp_path: Path) -> None:
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    fact = OsPackages(tmp_path).collect(scene_of(tmp_path, path=str(tmp_path)))
    assert fact.identity is None
    assert "no `rpm` that would read it" in fact.uncaptured[0].why

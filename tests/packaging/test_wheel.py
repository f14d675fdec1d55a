"""The wheel, installed into an empty environment with nothing but the locked requirements."""

from __future__ import annotations

import os
import subprocess
import sys
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from container.github_job import ROOT, WEAKER_PENALTY, Job
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlops_action import __version__

pytestmark = pytest.mark.slow

PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
IMPORT_ALL = """
import importlib, pkgutil, mlops_action
for found in pkgutil.walk_packages(mlops_action.__path__, "mlops_action."):
    if not found.name.endswith("__main__"):
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            print(error.name, found.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the build backend of the test environment."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that holds the locked requirements, the wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("empty") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    into = [*PIP, "--python", folder / "bin" / "python", "install"]
    subprocess.run([*into, "--require-hashes", "-r", ROOT / "requirements.lock"], check=True, capture_output=True)
    subprocess.run([*into, "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the example, on a branch."""
    return Job(tmp_path_factory.mktemp("project"), WEAKER_PENALTY).workspace


def tool(installed: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command where the job's own Python, with the kernel, is on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return subprocess.run(
        [installed / "mlops-action", *arguments],
        cwd=project,
        env={"PATH": path, "HOME": str(project.parent), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    own = {name for name in names if not name.startswith(f"mlops_action-{__version__}.dist-info/")}
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mlops_action").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert own == sources


def test_the_metadata_names_licence_python_and_readme(metadata: Message, wheel: Path) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("mlops-action", __version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).strip() == (ROOT / "README.md").read_text().strip()
    with ZipFile(wheel) as archive:
        licence = archive.read(f"mlops_action-{__version__}.dist-info/licenses/LICENSE")
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_every_module_imports_unless_it_needs_a_declared_extra(installed: Path, metadata: Message) -> None:
    done = subprocess.run(
        [installed / "python", "-I", "-c", IMPORT_ALL], capture_output=True, text=True, check=False, cwd=installed
    )
    assert done.returncode == 0, done.stderr
    wanted = [Requirement(each) for each in metadata.get_all("Requires-Dist", [])]
    extras = {canonicalize_name(each.name) for each in wanted if each.marker and "extra" in str(each.marker)}
    provided = packages_distributions()
    missing = dict(line.split() for line in done.stdout.splitlines())
    undeclared = {
        name: module
        for name, module in missing.items()
        if not extras & {canonicalize_name(each) for each in provided.get(name.split(".")[0], ())}
    }
    assert undeclared == {}


def test_the_installed_command_shows_its_help_and_version(installed: Path, project: Path) -> None:
    helped = tool(installed, project, "--help")
    assert (helped.returncode, helped.stdout.startswith("Usage: mlops-action ")) == (0, True), helped.stderr
    assert tool(installed, project, "--version").stdout == f"mlops-action {__version__}\n"


def test_the_installed_command_checks_the_example(installed: Path, project: Path) -> None:
    done = tool(installed, project, "check")
    assert done.returncode == 0, done.stderr
    assert "3 steps, 6 gates" in done.stdout


def test_the_installed_command_judges_metric_files_without_any_kernel(installed: Path, project: Path) -> None:
    done = tool(installed, project, "gate", "--metrics", "metrics/accepted.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS" in done.stdout
    (project / "worse.json").write_text((project / "metrics" / "accepted.json").read_text().replace("0.97", "0.87"))
    assert tool(installed, project, "gate", "--metrics", "worse.json").returncode == 1

"""What the machine brings: packages of the system and of conda, GPUs, numeric libraries, switches."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.facts.ci_run import CiRun
from mlops_action.facts.conda import CondaPackages
from mlops_action.facts.data import DeclaredData
from mlops_action.facts.interface import Scene
from mlops_action.facts.machine import MachineFact
from mlops_action.facts.os_packages import OsPackages
from mlops_action.facts.package_files import EditedFiles
from mlops_action.records import KernelChoice, Plan, PlannedStep
from mlops_action.redact import Redactor


def scene(root: Path, python: str = "python", data: tuple[str, ...] = (), **variables: str) -> Scene:
    env = {"PATH": os.environ["PATH"], **variables}
    step = PlannedStep("train", "mlops.yaml:1:1", kernel=KernelChoice("python3", "", "python", (python,)))
    context = Context(env, root, io.StringIO(), lambda: datetime(2026, 1, 2, tzinfo=UTC))
    return Scene(
        context, Plan("", ".", "out", (step,), (), {"PYTHONHASHSEED": "0"}), ManifestSpec(data=data), Redactor()
    )


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


DPKG = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Version: 1
"""


def test_installed_packages_of_debian_are_listed_and_removed_ones_are_not(tmp_path: Path) -> None:
    put(tmp_path / "var/lib/dpkg/status", DPKG)
    fact = OsPackages(tmp_path).collect(scene(tmp_path))
    assert fact.observation == ["libc6=2.36-9:amd64"]
    assert (fact.identity["manager"], fact.identity["count"]) == ("dpkg", 1)


def test_packages_of_alpine_are_listed(tmp_path: Path) -> None:
    put(tmp_path / "lib/apk/db/installed", "P:musl\nV:1.2\nA:x86_64\n\nP:zlib\nV:1.3\nA:x86_64\n")
    assert OsPackages(tmp_path).collect(scene(tmp_path)).observation == ["musl=1.2:x86_64", "zlib=1.3:x86_64"]


def test_another_version_of_a_system_package_is_another_identity(tmp_path: Path) -> None:
    put(tmp_path / "var/lib/dpkg/status", DPKG)
    before = OsPackages(tmp_path).collect(scene(tmp_path)).identity
    put(tmp_path / "var/lib/dpkg/status", DPKG.replace("2.36-9", "2.36-10"))
    assert OsPackages(tmp_path).collect(scene(tmp_path)).identity != before


def test_a_system_without_a_known_list_is_told(tmp_path: Path) -> None:
    [gap] = OsPackages(tmp_path).collect(scene(tmp_path)).uncaptured
    assert gap.what == "packages of the operating system"


def test_conda_packages_have_build_and_digest_and_no_token(tmp_path: Path) -> None:
    meta = {"name": "r-base", "version": "4.4", "build": "h1", "sha256": "a" * 64}
    meta["url"] = "https://me:t0k3n@conda.example.org/t/r-base.conda"
    put(tmp_path / "env/conda-meta/r-base.json", json.dumps(meta))
    put(tmp_path / "env/conda-meta/history", "")
    put(tmp_path / "env/conda-meta/broken.json", "{")
    fact = CondaPackages().collect(scene(tmp_path, "env/bin/R"))
    assert fact.identity == [[{"name": "r-base", "version": "4.4", "build": "h1", "sha256": "a" * 64}]]
    assert "t0k3n" not in json.dumps(fact.locator)


def test_switches_that_kernels_see_are_identity(tmp_path: Path) -> None:
    fact = MachineFact().collect(scene(tmp_path, OMP_NUM_THREADS="1", XLA_FLAGS="--not-passed"))
    assert fact.identity == {"switches": {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}}


def test_features_of_the_processor_that_change_results_are_told(tmp_path: Path) -> None:
    put(tmp_path / "proc/cpuinfo", "flags\t\t: fpu avx2 avx512f something\n")
    assert MachineFact(tmp_path / "proc").collect(scene(tmp_path)).observation["cpu-features"] == ["avx2", "avx512f"]


def test_gpus_are_told_as_the_driver_names_them(tmp_path: Path) -> None:
    program = put(tmp_path / "bin/nvidia-smi", "#!/bin/sh\necho 'Example GPU, 570.10, 80000 MiB, 9.0'\n")
    program.chmod(0o755)
    found = MachineFact().collect(scene(tmp_path, PATH=f"{program.parent}:/usr/bin:/bin"))
    gpu = {"name": "Example GPU", "driver": "570.10", "memory": "80000 MiB", "compute-capability": "9.0"}
    assert found.observation["gpus"] == [gpu]


def test_a_driver_that_fails_is_a_gap(tmp_path: Path) -> None:
    program = put(tmp_path / "bin/nvidia-smi", "#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    [gap] = MachineFact().collect(scene(tmp_path, PATH=str(program.parent))).uncaptured
    assert gap.why == "`nvidia-smi` ended with 9"


def test_numeric_libraries_of_the_kernel_are_named(tmp_path: Path) -> None:
    put(tmp_path / "env/lib/python3.12/site-packages/numpy.libs/libopenblas-r0.3.30.so", "")
    fact = MachineFact().collect(scene(tmp_path, "env/bin/python"))
    assert fact.observation["libraries"] == ["libopenblas-r0.3.30.so"]


@pytest.mark.parametrize("content", ["", "[]", '{"pull_request": {"number": 1}}'])
def test_an_odd_event_file_adds_no_claim(tmp_path: Path, content: str) -> None:
    event = put(tmp_path / "event.json", content)
    fact = CiRun().collect(scene(tmp_path, GITHUB_ACTIONS="true", GITHUB_EVENT_PATH=str(event)))
    assert fact.observation["claims"] == {}


def test_commits_of_a_pull_request_come_from_the_event(tmp_path: Path) -> None:
    pull = {"pull_request": {"number": 7, "head": {"sha": "a" * 40}, "base": {"sha": "b" * 40}}}
    event = put(tmp_path / "event.json", json.dumps(pull))
    fact = CiRun().collect(scene(tmp_path, GITHUB_ACTIONS="true", GITHUB_EVENT_PATH=str(event)))
    assert fact.observation["claims"]["head-sha"] == {"value": "a" * 40, "source": "event"}
    assert fact.observation["claims"]["base-sha"]["value"] == "b" * 40


def test_data_of_which_only_the_dvc_pointer_is_here_is_told_with_its_digest(tmp_path: Path) -> None:
    put(tmp_path / "data.csv.dvc", "outs:\n- md5: 0123\n  size: 5\n  path: data.csv\n")
    fact = DeclaredData().collect(scene(tmp_path, data=("data.csv",)))
    assert fact.locator["pointers"]["data.csv"]["outs"] == [{"path": "data.csv", "md5": "0123", "size": 5}]
    assert "DVC pointer" in fact.uncaptured[0].why


# --- edited files of packages


@pytest.mark.parametrize(("asked", "change"), [(True, "edit"), (True, "remove"), (True, ""), (False, "edit")])
def test_an_edited_file_of_a_package_is_identity_when_it_is_asked_for(tmp_path: Path, asked: bool, change: str) -> None:
    site = tmp_path / "env/lib/python3.12/site-packages"
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1").digest()).rstrip(b"=").decode()
    put(site / "tiny.py", "x = 1")
    put(site / "tiny-1.0.dist-info/METADATA", "Name: tiny\nVersion: 1.0\n\n")
    put(site / "tiny-1.0.dist-info/RECORD", f"tiny.py,sha256={digest},5\n../../bin/tiny,sha256=x,1\n")
    if change == "edit":
        (site / "tiny.py").write_text("x = 2")
    elif change == "remove":
        (site / "tiny.py").unlink()
    where = replace(scene(tmp_path, "env/bin/python"), spec=ManifestSpec(package_files=asked))
    found = EditedFiles().collect(where).identity
    now = hashlib.sha256(b"x = 2").hexdigest() if change == "edit" else None
    expected = [{"package": "tiny", "path": "tiny.py", "sha256": now}] if change else []
    assert found == (expected if asked else None)

"""One pipeline whose steps run in bash, R, two environments with different packages, and a container."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acceptance.documents import check_documents
from acceptance.scratch import commit_all

EXAMPLE = Path(__file__).parents[2] / "examples" / "many-kernels"

pytestmark = [pytest.mark.container, pytest.mark.slow]


@pytest.fixture(scope="module")
def documents(build: Callable[..., str], base_image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the run leaves; a part that is missing here ends it with the error that says so."""
    image = build(EXAMPLE, "--build-arg", f"BASE_IMAGE={base_image}")
    subprocess.run(["docker", "tag", image, "mlops-many-kernels:1"], check=True)
    folder = tmp_path_factory.mktemp("many") / "project"
    shutil.copytree(EXAMPLE, folder)
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    commit_all(folder)
    done = subprocess.run(
        [Path(sys.executable).parent / "mlops-action", "run"],
        cwd=folder,
        env={**os.environ, "MLOPS_ACTION_CACHE": str(folder.parent / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {**check_documents(folder / "mlops-out"), "log": done.stdout}


def test_each_step_runs_in_its_own_kind_of_place(documents: dict[str, Any]) -> None:
    log = documents["log"]
    assert "4.9.0 8 rows" in log
    assert "4.12.3 8 rows" in log
    assert "Verdict: PASS. 2 gates: 2 passed." in log


def test_the_manifest_names_each_kernel_and_what_its_place_is_made_from(documents: dict[str, Any]) -> None:
    kernels = {each["step"]: each for each in documents["manifest.json"]["identity"]["kernels"]}
    where = {step: (each["kernel"], each["language"], each["where"]) for step, each in kernels.items()}
    assert where == {
        "prepare": ("bash", "bash", "host"),
        "before": ("last-year/python3", "python", "packages"),
        "after": ("this-year/python3", "python", "packages"),
        "check": ("ir", "R", "host"),
        "score": ("scoring/python3", "python", "container"),
    }
    assert kernels["before"]["place"]["source"] == "requirements-2024.txt"
    assert kernels["before"]["place"]["digest"] != kernels["after"]["place"]["digest"]
    assert kernels["score"]["place"]["id"].startswith("sha256:")


def test_the_manifest_lists_the_packages_of_each_environment(documents: dict[str, Any]) -> None:
    found = {
        kernel: [(each["name"], each["version"]) for each in python["distributions"]]
        for python in documents["manifest.json"]["identity"]["python"]
        for kernel in python["kernels"]
    }
    assert found["last-year/python3"] == [("humanize", "4.9.0")]
    assert found["this-year/python3"] == [("humanize", "4.12.3")]

"""A suite of steps as CI runs it: one kernel that dies, and a second run that has nothing to do."""

from __future__ import annotations

import json
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from acceptance.documents import check_documents
from acceptance.scratch import clean_env, commit_all, tool

pytestmark = pytest.mark.kernel

NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {
            "cell_type": "code",
            "id": "train",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": "import json\nprint('trained with', open('data.csv').read())\n"
            "json.dump({'accuracy': 0.9}, open('metrics.json', 'w'))\n",
        }
    ],
}


def project(root: Path, config: dict[str, Any]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "mlops.yaml").write_text(json.dumps(config))
    return root


def plain_environment(folder: Path) -> Path:
    """The interpreter of an environment like ours, without the checkout that is installed in place in ours."""
    venv.create(folder / "kernel", with_pip=False)
    ours = Path(sysconfig.get_path("purelib"))
    (theirs,) = (folder / "kernel").glob("lib/python*/site-packages")
    for entry in ours.iterdir():
        if "mlops_action" not in entry.name and entry.suffix != ".pth":
            (theirs / entry.name).symlink_to(entry)
    (folder / "kernel" / "share").symlink_to(Path(sys.prefix) / "share")
    return folder / "kernel" / "bin" / "python"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_kernel_that_dies_leaves_nineteen_of_twenty_steps_done(tmp_path: Path, jobs: int) -> None:
    steps = {f"s{i:02}": {"code": f"print('this is {i}')"} for i in range(20)}
    steps["s07"] = {"code": "print('before', flush=True)\nimport os\nos.kill(os.getpid(), 9)"}
    root = project(tmp_path / "project", {"steps": steps, "gates": "none"})
    done = tool(root, ["run", "--jobs", str(jobs)], clean_env(tmp_path / "home"))
    assert done.code == 3, done.text
    found = {step["name"]: step for step in check_documents(root / "mlops-out")["run.json"]["steps"]}
    assert [name for name, step in found.items() if step["status"] != "ok"] == ["s07"]
    assert (len(found), found["s07"]["failure"]["kind"]) == (20, "kernel-died")
    suites = ET.parse(root / "mlops-out" / "junit.xml").getroot()
    assert {suite.get("name"): suite.get("errors") for suite in suites if suite.get("name") in steps} == {
        name: "1" if name == "s07" else "0" for name in steps
    }
    assert suites.get("errors") == "1"
    assert len(list((root / "mlops-out" / "notebooks").iterdir())) == 20
    assert "19 of 20 steps ran well" in done.text


def test_an_unchanged_step_is_put_back_instead_of_run_again(tmp_path: Path) -> None:
    step = {"notebook": "train.ipynb", "inputs": ["data.csv"], "metrics": "metrics.json", "cache": True}
    config = {"steps": {"train": step}, "gates": {"floor": {"metric": "accuracy", "min": 0.8}}}
    root = project(tmp_path / "project", config | {"environment": {"python": str(plain_environment(tmp_path))}})
    (root / "train.ipynb").write_text(json.dumps(NOTEBOOK))
    (root / "data.csv").write_text("1,2")
    (root / ".gitignore").write_text("mlops-out/\nmetrics.json\n")
    commit_all(root)
    env = clean_env(tmp_path / "home")
    first = tool(root, ["run"], env)
    assert first.code == 0, first.text
    assert "miss: " in first.text
    (root / "metrics.json").unlink()
    second = tool(root, ["run"], env)
    assert second.code == 0, second.text
    assert "hit: nothing changed since" in second.text
    assert json.loads((root / "metrics.json").read_text()) == {"accuracy": 0.9}
    assert "trained with 1,2" in (root / "mlops-out" / "notebooks" / "train.ipynb").read_text()
    assert check_documents(root / "mlops-out")["verdicts.json"]["outcome"] == "pass"
    (root / "data.csv").write_text("3,4")
    third = tool(root, ["run"], env)
    assert third.code == 0, third.text
    assert "input data.csv changed" in third.text
    assert "trained with 3,4" in (root / "mlops-out" / "notebooks" / "train.ipynb").read_text()

"""Stages run alone, and what they must have in common with the whole run."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from acceptance.documents import check_documents
from acceptance.scratch import clean_env, commit_all, tool

from mlops_action.imports import FORMATS

CONFIG = """\
steps:
  train:
    code: |
      import json
      json.dump({"accuracy": 0.95 + shift}, open("metrics.json", "w"))
      open("model.bin", "w").write("model")
    parameters: {shift: 0.0, large: 123456789012345678901234567890, whole: 1.0, text: "1"}
    inputs: data/*.csv
    outputs: model.bin
    metrics: metrics.json
gates:
  floor: {metric: accuracy, min: 0.9}
"""


def project(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "mlops.yaml").write_text(CONFIG)
    (folder / "data" / "a.csv").write_text("a,b\n1,2\n")
    (folder / ".gitignore").write_text("mlops-out/\nmodel.bin\nmetrics.json\n")
    return folder


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "mlops-out" / "manifest.json").read_bytes())
    return found


def run(folder: Path, *arguments: str, exit_code: int = 0) -> str:
    done = tool(folder, arguments, clean_env(folder.parent / "home"))
    assert done.code == exit_code, done.text
    check_documents(folder / "mlops-out")
    return done.text


@pytest.mark.kernel
def test_the_same_project_in_another_folder_gives_the_same_manifest_id(tmp_path: Path) -> None:
    first = project(tmp_path / "first")
    commit_all(first)
    second = tmp_path / "deep" / "below" / "second"
    shutil.copytree(first, second)
    run(first, "run")
    run(second, "run")
    assert manifest(first)["identity"] == manifest(second)["identity"]
    assert manifest(first)["manifest-id"] == manifest(second)["manifest-id"]


@pytest.mark.kernel
def test_a_second_run_in_the_same_folder_gives_the_same_manifest_id(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    commit_all(folder)
    run(folder, "run")
    before = manifest(folder)
    run(folder, "run")
    assert manifest(folder)["identity"] == before["identity"]


@pytest.mark.kernel
@pytest.mark.parametrize("change", ["-p=shift=0.01", "data", "gates"])
def test_another_input_gives_another_manifest_id(tmp_path: Path, change: str) -> None:
    folder = project(tmp_path / "project")
    run(folder, "run")
    before = manifest(folder)["manifest-id"]
    more = []
    if change == "data":
        (folder / "data" / "a.csv").write_text("a,b\n1,3\n")
    elif change == "gates":
        (folder / "mlops.yaml").write_text(CONFIG.replace("0.9}", "0.91}"))
    else:
        more = change.split("=", 1)
    run(folder, "run", *more)
    assert manifest(folder)["manifest-id"] != before


@pytest.mark.kernel
def test_the_manifest_made_alone_is_the_one_of_the_run(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    said = run(folder, "run")
    whole = (folder / "mlops-out" / "manifest.json").read_bytes()
    (folder / "mlops-out" / "manifest.json").unlink()
    assert manifest_id(run(folder, "manifest")) == manifest_id(said)
    assert (folder / "mlops-out" / "manifest.json").read_bytes() == whole


def manifest_id(log: str) -> str:
    [line] = [line for line in log.splitlines() if line.startswith("Manifest sha256:")]
    return line


@pytest.mark.kernel
def test_the_gates_alone_judge_the_run_of_another_machine_here(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    run(folder, "run")
    elsewhere = project(tmp_path / "elsewhere" / "checkout")
    (elsewhere / "mlops-out").mkdir()
    shutil.move(folder / "mlops-out" / "run.json", elsewhere / "mlops-out" / "run.json")
    shutil.rmtree(folder)
    assert "PASS          floor" in run(elsewhere, "gate")
    assert "FAIL" in run(elsewhere, "gate", "--gates", "floor: {metric: accuracy, min: 0.99}", exit_code=1)
    assert (elsewhere / "mlops-out" / "verdicts.json").is_file()
    assert not folder.exists()


@pytest.mark.kernel
def test_a_run_of_a_configuration_elsewhere_is_found_again_by_the_gates(tmp_path: Path) -> None:
    folder = project(tmp_path / "project" / "models" / "churn")
    top = tmp_path / "project"
    config = ["--config", "models/churn/mlops.yaml"]
    for command in (["run", *config], ["gate", *config]):
        done = tool(top, command, clean_env(tmp_path / "home"))
        assert done.code == 0, done.text
    assert (folder / "mlops-out" / "verdicts.json").is_file()
    assert not (top / "mlops-out").exists()


@pytest.mark.kernel
def test_a_failed_step_never_becomes_a_pass_by_judging_again(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    (folder / "mlops.yaml").write_text(CONFIG.replace("gates:", "  second:\n    code: raise ValueError('no')\ngates:"))
    run(folder, "run", exit_code=3)
    assert "Verdict: INCONCLUSIVE" in run(folder, "gate", exit_code=3)


HEAVY = ("nbformat", "nbclient", "jupyter_client", "jsonschema", "numpy", "zmq", "docker", "asyncio", "pandas")
PROBE = """
import sys
sys.argv = ["mlops-action", *{arguments!r}]
from mlops_action.cli.main import main
try:
    code = main()
except SystemExit as end:
    code = end.code
heavy = sorted(name for name in {heavy!r} if sys.modules.get(name))
print("heavy:", heavy, "code:", code or 0)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["check"],
        ["plan"],
        ["gate", "--metrics", "metrics.json"],
        ["gate", "--metrics", "metrics.json", "--gates", "drop: {metric: accuracy, max-drop: 1%, baseline: b.json}"],
    ],
    ids=" ".join,
)
def test_commands_that_start_no_kernel_import_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    folder = project(tmp_path / "project")
    for name in ("metrics.json", "b.json"):
        (folder / name).write_text('{"accuracy": 0.95}')
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=arguments, heavy=HEAVY)],
        cwd=folder,
        env=clean_env(tmp_path / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["heavy: [] code: 0"], done.stdout + done.stderr


@pytest.mark.kernel
def test_a_run_does_not_import_what_jsonschema_would_check_formats_with(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    installed = [name for name in FORMATS if importlib.util.find_spec(name)]
    assert "rfc3987_syntax" in installed  # as beside JupyterLab
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=["run", "--gates", "none"], heavy=installed)],
        cwd=folder,
        env=clean_env(tmp_path / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["heavy: [] code: 0"], done.stdout + done.stderr

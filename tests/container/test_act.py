"""Workflows run by act, a client that nobody here wrote: as a stranger's repository uses the actions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acceptance.scratch import commit_all
from ci_files.test_gitlab_components import NOTEBOOK
from container.github_job import ROOT

from mlops_action.config.action_files import SUB_ACTIONS

pytestmark = [pytest.mark.container, pytest.mark.slow]

README_BLOCK = re.compile(r"<!-- include: workflows-examples/github-one-notebook.yml -->\n```yaml\n(.*?)```", re.DOTALL)
DEAD = "http://127.0.0.1:9"
"""act asks for news; nobody answers."""
IMAGE = """\
FROM {base}
RUN python3 -m venv /opt/python && /opt/python/bin/pip install --no-cache-dir ipykernel pandas scikit-learn
ENV PATH=/opt/python/bin:$PATH
"""


@dataclass(frozen=True)
class Ran:
    """What became of a workflow."""

    code: int
    log: str
    records: list[dict[str, Any]]
    artifacts: Path

    def outputs(self, step: str) -> dict[str, str]:
        """Outputs of the steps whose name holds ``step``."""
        mine = [each for each in self.records if each.get("command") == "set-output" and step in each.get("step", "")]
        return {each["name"]: each["arg"] for each in mine}

    def summary(self) -> str:
        return "\n".join(str(each.get("content", "")) for each in self.records if each.get("command") == "summary")


Act = Callable[..., Ran]


@pytest.fixture(scope="module")
def job_image(build: Callable[..., str], base_image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Stands in for GitHub's machine: Python, and the packages that the README's block installs."""
    folder = tmp_path_factory.mktemp("job-image")
    (folder / "Dockerfile").write_text(IMAGE.format(base=base_image))
    return build(folder)


@pytest.fixture(scope="module")
def action(base_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as act checks it out; its image is built on what is here."""
    folder = tmp_path_factory.mktemp("action") / "mlops_action"
    folder.mkdir()
    for name in ("action.yml", "requirements.lock", "requirements-image.lock", ".dockerignore"):
        shutil.copy(ROOT / name, folder)
    for name in ("composite", "container", "mlops_action", *SUB_ACTIONS):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    dockerfile = (ROOT / "Dockerfile").read_text()
    (folder / "Dockerfile").write_text(re.sub(r"(?m)^ARG BASE_IMAGE=.*$", f"ARG BASE_IMAGE={base_image}", dockerfile))
    return folder


@pytest.fixture(scope="module")
def act(job_image: str, action: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Act]:
    """Run a workflow in a folder that becomes a repository."""
    kept, cache = tmp_path_factory.mktemp("artifacts"), tmp_path_factory.mktemp("pip-cache")

    def run(folder: Path, workflow: str, event: str = "pull_request", **files: str) -> Ran:
        (folder / ".github/workflows").mkdir(parents=True)
        (folder / ".github/workflows/model.yml").write_text(workflow)
        for name, text in files.items():
            (folder / name.replace("__", "/")).parent.mkdir(parents=True, exist_ok=True)
            (folder / name.replace("__", "/")).write_text(text)
        commit_all(folder)
        subprocess.run(["git", "remote", "add", "origin", "https://github.com/octo/model.git"], cwd=folder, check=True)
        artifacts = kept / folder.parent.name
        artifacts.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*command(event), "--container-options", f"-v {artifacts}:/artifacts -v {cache}:/root/.cache/pip"],
            cwd=folder,
            env={**os.environ, "HTTP_PROXY": DEAD, "HTTPS_PROXY": DEAD, "HOME": str(kept)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=500,
        )
        records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return Ran(done.returncode, "\n".join(str(each.get("msg", "")) for each in records), records, artifacts)

    def command(event: str) -> list[str | Path]:
        uses = {*re.findall(r"uses: (actions/[\w-]+)@(\w+)", "".join(map(Path.read_text, WORKFLOWS)))}
        mapped = {f"{name}@{ref}": ROOT / "tests/ci_files" / name for name, ref in uses}
        mapped["mlops-action/mlops_action@v0.1.0"] = action
        machines = [part for label in ("ubuntu-latest", "self-hosted") for part in ("-P", f"{label}={job_image}")]
        local = [part for ref, where in mapped.items() for part in ("--local-repository", f"{ref}={where}")]
        options = [
            "--pull=false",
            "--no-cache-server",
            "--strict",
            "--json",
            "--network",
            "host",
            "--rm",
            "--concurrent-jobs",
            "1",
        ]
        return [Path(sys.executable).parent / "act", event, *machines, *local, *options]

    yield run
    # What jobs wrote belongs to root; so do we where tests run.
    shutil.rmtree(kept, ignore_errors=True)


WORKFLOWS = sorted((ROOT / "workflows-examples").glob("github-*.yml"))


def example(name: str) -> str:
    return (ROOT / "workflows-examples" / f"github-{name}.yml").read_text()


def test_a_stranger_pastes_the_block_of_the_readme_beside_a_notebook_and_gets_a_verdict(
    act: Act, tmp_path: Path
) -> None:
    [block] = README_BLOCK.findall((ROOT / "README.md").read_text())
    ran = act(tmp_path / "model", block, **{"train.ipynb": json.dumps(NOTEBOOK)})
    assert ran.code == 0, ran.log[-8000:]
    assert ran.outputs("mlops_action")["verdict"] == "pass"
    assert "accuracy-floor | accuracy 0.95 is at least 0.9" in ran.summary()


def test_a_plan_its_parts_and_their_merge_run_as_jobs_of_one_workflow(act: Act, tmp_path: Path) -> None:
    config = "steps: {a: {notebook: train.ipynb, metrics: metrics.json}, b: {code: print(1)}}\n"
    config += "gates: {floor: {metric: accuracy, min: 0.99}}\n"
    files = {"train.ipynb": json.dumps(NOTEBOOK), "mlops.yaml": config, "requirements.txt": ""}
    ran = act(tmp_path / "model", example("parts"), **files)
    assert ran.code != 0
    assert [row["shard"] for row in json.loads(ran.outputs("plan")["matrix"])["include"]] == ["1/2", "2/2"]
    assert "Verdict: FAIL. 1 gate: 1 failed." in ran.log, ran.log[-8000:]
    assert {path.parent.name for path in ran.artifacts.rglob("run.json")} == {"part-1", "part-2"}


def test_the_container_action_runs_with_what_a_notebook_prints_and_no_way_to_steer_the_job(
    act: Act, tmp_path: Path
) -> None:
    attack = "print('::set-output name=verdict::pass\\n::add-path::/tmp/evil\\n##[error]forged\\r::error::forged')"
    files = {
        "mlops.yaml": json.dumps(
            {"steps": {"a": {"code": attack}}, "gates": {"floor": {"metric": "accuracy", "min": 1}}}
        )
    }
    ran = act(tmp_path / "model", example("self-hosted"), **files)
    assert ran.code != 0
    assert ran.outputs("container")["verdict"] == "inconclusive"
    assert not [each for each in ran.records if each.get("command") in {"add-path", "error"} and "forged" in str(each)]

"""A job of GitHub Actions: a checkout, the runner's folders, and the runner's two ways to run an action.

Written from the runner's ``ContainerActionHandler.cs`` and ``CompositeActionHandler.cs``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from acceptance.github_runner import outputs
from acceptance.scratch import commit_all

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "breast-cancer"
EXPRESSION = re.compile(r"\$\{\{ (inputs|steps)\.([\w.-]+) \}\}")
WEAKER_PENALTY = ("C: 1.0", "C: 2.0")
FOUR_FEATURES = ("features: 30", "features: 4")
EVENT = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_BASE_REF": "main",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_HEAD_REF": "topic",
    "GITHUB_JOB": "model",
    "GITHUB_REF": "refs/pull/7/merge",
    "GITHUB_REPOSITORY": "octo/breast-cancer",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_ID": "42",
    "GITHUB_SERVER_URL": "https://github.com",
    "RUNNER_ARCH": "X64",
    "RUNNER_OS": "Linux",
    "ACTIONS_RUNTIME_TOKEN": "a-token-of-the-runtime",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-token-for-tokens",
}
COMMAND_FILES = {
    "GITHUB_ENV": "set_env",
    "GITHUB_OUTPUT": "set_output",
    "GITHUB_PATH": "add_path",
    "GITHUB_STATE": "save_state",
    "GITHUB_STEP_SUMMARY": "step_summary",
}


@dataclass(frozen=True)
class StepEnd:
    """How a step that uses the action ended."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str


class Job:
    """A job for a pull request that edits the example's ``mlops.yaml``."""

    def __init__(self, folder: Path, edit: tuple[str, str]) -> None:
        """Make the folders of the runner below ``folder``, with the branch ``topic`` checked out."""
        self.folder = folder
        self.temp = folder / "_temp"
        self.workspace = folder / "work space" / "breast-cancer"
        for name in ("_github_home", "_github_workflow", "_runner_file_commands"):
            (self.temp / name).mkdir(parents=True)
        for name in ("_github_workflow", "_runner_file_commands"):
            (self.temp / name).chmod(0o777)  # for us, when it is somebody else's
        _clone(folder / "origin", self.workspace, edit)

    def of_event(self, name: str, payload: Mapping[str, Any], **env: str) -> dict[str, str]:
        """The variables of a job that runs for another event than a pull request."""
        path = self.temp / "_github_workflow" / "event.json"
        path.write_text(json.dumps(payload))
        told = {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": "/github/workflow/event.json"}
        return {"GITHUB_BASE_REF": "", "GITHUB_HEAD_REF": "", **told, **env}

    def container(self, image: str, given: Mapping[str, str], env: Mapping[str, str] | None = None) -> StepEnd:
        """Run ``image`` as a step with ``uses: …/container``."""
        action = _action(ROOT / "container")
        inputs = {_variable(name): value for name, value in _inputs(action, given).items()}
        inputs |= {_variable(name): value for name, value in given.items()}  # unknown ones get there, too
        files = self._command_files()
        within = {name: f"/github/file_commands/{path.name}" for name, path in files.items()}
        passed = {**EVENT, **within, "GITHUB_WORKSPACE": "/github/workspace", "HOME": "/github/home"}
        passed |= {**inputs, **(env or {})}
        options = [part for name in passed if name != "CI" for part in ("-e", name)]
        mounts = {
            "/var/run/docker.sock": "/var/run/docker.sock",
            self.temp / "_github_home": "/github/home",
            self.temp / "_github_workflow": "/github/workflow",
            self.temp / "_runner_file_commands": "/github/file_commands",
            self.workspace: "/github/workspace",
        }
        options += [part for here, there in mounts.items() for part in ("-v", f"{here}:{there}")]
        name = f"mlops_action_test_{uuid.uuid4().hex[:8]}"
        done = subprocess.run(
            [
                "docker",
                "run",
                "--name",
                name,
                "--workdir",
                "/github/workspace",
                "--rm",
                *options,
                "-e",
                "CI=true",
                image,
            ],
            env={"DOCKER_CONFIG": str(Path.home() / ".docker"), **os.environ, **passed},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return _end(done, outputs(files["GITHUB_OUTPUT"].read_text()), files)

    def composite(self, action_path: Path, given: Mapping[str, str], env: Mapping[str, str]) -> StepEnd:
        """Run the steps of the action at ``action_path`` in the job's own environment ``env``."""
        action = _action(action_path)
        inputs = _inputs(action, given)
        files = self._command_files()
        base = {**EVENT, **{name: str(path) for name, path in files.items()}, **env}
        base |= {"GITHUB_ACTION_PATH": str(action_path), "GITHUB_WORKSPACE": str(self.workspace)}
        base |= {"RUNNER_TEMP": str(self.temp), "HOME": str(self.temp / "_github_home")}
        script, log = self.temp / "step.sh", ""
        found: dict[str, str] = {}
        for step in action["runs"]["steps"]:
            script.write_text(step["run"])
            own = {name: _filled(value, inputs, {}) for name, value in step.get("env", {}).items()}
            done = subprocess.run(
                [step["shell"], "--noprofile", "--norc", "-e", "-o", "pipefail", script],
                cwd=self.workspace,
                env={**base, **own},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            log += done.stdout.decode(errors="replace")
            if "id" in step:
                written = outputs(files["GITHUB_OUTPUT"].read_text())
                found |= {f"{step['id']}.outputs.{name}": value for name, value in written.items()}
            if done.returncode:
                break
        outer = {name: _filled(each["value"], {}, found) for name, each in action["outputs"].items()}
        return StepEnd(done.returncode, log, outer, files["GITHUB_STEP_SUMMARY"].read_text())

    def _command_files(self) -> dict[str, Path]:
        """The files of one step, which the runner makes before the step starts."""
        folder, step = self.temp / "_runner_file_commands", uuid.uuid4()
        files = {variable: folder / f"{name}_{step}" for variable, name in COMMAND_FILES.items()}
        for path in files.values():
            path.touch()
            if os.geteuid() == 0:
                os.chown(path, folder.stat().st_uid, folder.stat().st_gid)
        return files


def _end(done: subprocess.CompletedProcess[bytes], found: Mapping[str, str], files: Mapping[str, Path]) -> StepEnd:
    log = done.stdout.decode(errors="replace")
    return StepEnd(done.returncode, log, found, files["GITHUB_STEP_SUMMARY"].read_text())


def _clone(origin: Path, workspace: Path, edit: tuple[str, str]) -> None:
    """The example with its history: `main`, and `topic` with one commit more, which is checked out."""
    made = shutil.ignore_patterns("mlops-out", "data", "model", "metrics.json", "demo.sh", ".ipynb_checkpoints")
    shutil.copytree(EXAMPLE, origin, ignore=made)
    commit_all(origin, "The accepted model")
    _git(origin, "switch", "-q", "-c", "topic")
    config = origin / "mlops.yaml"
    before, after = edit
    assert before in config.read_text()
    config.write_text(config.read_text().replace(before, after))
    commit_all(origin, f"{before} becomes {after}")
    workspace.parent.mkdir(parents=True)
    _git(origin, "clone", "-q", "--branch", "topic", ".", str(workspace))


def _git(folder: Path, *arguments: str) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True)


def _action(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder / "action.yml").read_text())
    return loaded


def _inputs(action: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    return {name: given.get(name, declared["default"]) for name, declared in action["inputs"].items()}


def _variable(name: str) -> str:
    return "INPUT_" + name.replace(" ", "_").upper()


def _filled(text: str, inputs: Mapping[str, str], steps: Mapping[str, str]) -> str:
    """``text`` with its expressions replaced: an input must be declared, an output may be missing."""
    filled = EXPRESSION.sub(lambda each: inputs[each[2]] if each[1] == "inputs" else steps.get(each[2], ""), text)
    assert "${{" not in filled, f"an expression that this runner does not know: {filled}"
    return filled

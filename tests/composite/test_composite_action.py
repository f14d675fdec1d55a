"""The root action, its steps run as GitHub's runner runs them, with everything in paths with spaces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from ci_files.test_comment import Forge
from container.github_job import FOUR_FEATURES, ROOT, WEAKER_PENALTY, Job, StepEnd

from mlops_action.config.action_files import SUB_ACTIONS

pytestmark = [pytest.mark.slow, pytest.mark.kernel]

REACH = ("PIP_", "SSL_", "REQUESTS_", "CURL_", "XDG_CONFIG_")
"""Variables by which a machine says how it reaches package indexes."""
SNIPPET = {"code": "print(6 * 7)", "gates": "none", "output-dir": "second-out"}


def job_environment(**more: str) -> dict[str, str]:
    """The job's own environment: its `python3` is the one with the notebooks' packages."""
    reach = {name: value for name, value in os.environ.items() if name.startswith(REACH) or "proxy" in name.lower()}
    pip = Path(os.environ.get("HOME", "/")) / ".config" / "pip" / "pip.conf"
    if pip.is_file():
        reach.setdefault("PIP_CONFIG_FILE", str(pip))
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return {**reach, "PATH": path, "LANG": "C.UTF-8", **more}


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The action as the runner checks it out."""
    folder = tmp_path_factory.mktemp("runner") / "_actions of this job" / "mlops-action" / "v1"
    folder.mkdir(parents=True)
    for name in ("action.yml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    for name in ("composite", "mlops_action", *SUB_ACTIONS):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return Job(tmp_path_factory.mktemp("job") / "a job", WEAKER_PENALTY)


@pytest.fixture(scope="module")
def first(job: Job, action: Path) -> StepEnd:
    """The first step of the job that uses the action."""
    return job.composite(action, {}, job_environment())


def test_the_action_installs_itself_and_accepts_a_change_that_is_no_worse(first: StepEnd, job: Job) -> None:
    assert first.code == 0, first.log
    assert first.outputs["verdict"] == "pass"
    assert json.loads(first.outputs["failed-gates"]) == []
    assert "accuracy-floor" in first.summary
    assert " " in str(job.workspace)
    assert " " in str(job.temp)


def test_each_declared_output_of_the_action_has_a_value(first: StepEnd, job: Job) -> None:
    assert {name for name, value in first.outputs.items() if not value} == set()
    for name in ("report", "junit", "run", "manifest"):
        assert (job.workspace / first.outputs[name]).is_file()


def test_each_input_of_the_action_reaches_the_tool_by_its_name() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    env = action["runs"]["steps"][-1]["env"]
    expected = {f"INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}
    assert env == expected


def test_the_environment_of_the_tool_has_no_kernel_of_its_own(first: StepEnd, job: Job) -> None:
    done = subprocess.run(
        [job.temp / "mlops-action" / "bin" / "python", "-I", "-c", "import mlops_action, ipykernel"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named 'ipykernel'" in done.stderr
    run = json.loads((job.workspace / first.outputs["run"]).read_text())
    commands = {step["kernel"]["argv"][0] for step in run["plan"]["steps"]}
    assert commands == {str(Path(sys.executable).parent / "python")}


def test_a_second_use_in_the_same_job_installs_nothing_again(first: StepEnd, job: Job, action: Path) -> None:
    mark = job.temp / "mlops-action" / "mark-of-the-test"
    mark.touch()
    end = job.composite(action, SNIPPET, job_environment(PIP_NO_INDEX="1"))
    assert end.code == 0, end.log
    assert "| 42" in end.log
    assert "is installed in" not in end.log
    assert mark.exists()


def test_steps_of_the_job_share_a_session_and_find_the_command(first: StepEnd, job: Job, action: Path) -> None:
    runtime = tempfile.mkdtemp(prefix="s-")
    env = job_environment(PIP_NO_INDEX="1", XDG_RUNTIME_DIR=runtime, RUNNER_TRACKING_ID="github_x")
    try:
        assert job.composite(action, {"session": "train", "code": "x = 20"}, env).code == 0
        second = job.composite(action, {"session": "train", "code": "print(x + 1)"}, env)
        assert second.code == 0, second.log
        assert "| 21" in second.log
        assert second.outputs["verdict"] == "not-judged"
        [added] = {path.read_text() for path in (job.temp / "_runner_file_commands").glob("add_path_*")} - {""}
        env |= {"PATH": f"{added.strip()}{os.pathsep}{env['PATH']}", "GITHUB_RUN_ID": "42", "GITHUB_JOB": "model"}
        stop = ["mlops-action", "session", "stop", "--all"]
        env |= {"GITHUB_RUN_ATTEMPT": "1", "HOME": str(job.temp / "_github_home")}
        done = subprocess.run(stop, cwd=job.workspace, env=env, capture_output=True, text=True, check=False)
        assert "session train is stopped" in done.stdout + done.stderr
        assert (job.workspace / "mlops-out/sessions/train.ipynb").is_file()
    finally:
        shutil.rmtree(runtime)


def test_nothing_in_the_checkout_stands_in_for_our_own_modules(first: StepEnd, job: Job, action: Path) -> None:
    for name in ("click", "yaml", "random", "mlops_action"):
        (job.workspace / f"{name}.py").write_text("raise SystemExit('shadowed')")
    try:
        end = job.composite(action, {"dry-run": "true"}, job_environment(PYTHONPATH=str(job.workspace)))
    finally:
        for name in ("click", "yaml", "random", "mlops_action"):
            (job.workspace / f"{name}.py").unlink()
    assert "shadowed" not in end.log
    assert end.code == 0, end.log


@pytest.fixture
def next_job(first: StepEnd, job: Job, tmp_path: Path) -> Job:
    """A job that finds the tool installed by the action at the same place, and whose change is worse."""
    made = Job(tmp_path / "next job", FOUR_FEATURES)
    shutil.copytree(job.temp / "mlops-action", made.temp / "mlops-action", symlinks=True)
    return made


def test_a_blocked_change_ends_the_step_with_1_and_sets_outputs(next_job: Job, action: Path) -> None:
    end = next_job.composite(action, {}, job_environment())
    assert end.code == 1, end.log
    assert end.outputs["verdict"] == "fail"
    assert "accuracy-floor" in json.loads(end.outputs["failed-gates"])


def test_another_checkout_of_the_action_brings_its_own_code(next_job: Job, action: Path) -> None:
    other = action.parent / "v2"
    shutil.copytree(action, other, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "mlops_action" / "action.py").write_text("print('this is v2')\n")
    end = next_job.composite(other, SNIPPET, job_environment())
    assert end.code == 0, end.log
    assert end.log.endswith("this is v2\n")


def test_without_a_python_that_is_new_enough_the_step_says_what_to_add(tmp_path: Path, action: Path) -> None:
    for name in ("python3", "python"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    path = os.pathsep.join([str(tmp_path), "/usr/bin", "/bin"])
    end = Job(tmp_path / "job", WEAKER_PENALTY).composite(action, {}, {**job_environment(), "PATH": path})
    assert end.code == 4
    assert "::error title=mlops-action::needs Python 3.11 or later" in end.log
    assert end.outputs["verdict"] == ""


def test_an_index_that_does_not_answer_is_not_taken_for_a_failed_gate(tmp_path: Path, action: Path) -> None:
    env = {name: value for name, value in job_environment().items() if not name.startswith("PIP_")}
    end = Job(tmp_path, WEAKER_PENALTY).composite(
        action, {}, {**env, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    )
    assert end.code == 4
    assert "::error title=mlops-action::its dependencies could not be installed" in end.log
    assert not (tmp_path / "_temp" / "mlops-action" / "installed").exists()


def test_the_action_for_snippets_runs_one_and_judges_nothing(first: StepEnd, job: Job, action: Path) -> None:
    end = job.composite(action / "snippet", {"code": "print(6 * 7)", "output-dir": "snippet-out"}, job_environment())
    assert end.code == 0, end.log
    assert "| 42" in end.log
    assert end.outputs["verdict"] == "not-judged"


def test_the_action_for_gates_judges_a_metric_file(first: StepEnd, job: Job, action: Path) -> None:
    (job.workspace / "judged.json").write_text('{"accuracy": 0.8}')
    given = {"metrics": "judged.json", "gates": "floor: {metric: accuracy, min: 0.9}", "output-dir": "gate-out"}
    end = job.composite(action / "gate", given, job_environment())
    assert end.code == 1, end.log
    assert end.outputs["verdict"] == "fail"
    assert json.loads(end.outputs["failed-gates"]) == ["floor"]


def test_the_action_for_plans_gives_the_parts_as_a_matrix(first: StepEnd, job: Job, action: Path) -> None:
    (job.workspace / "many.yaml").write_text("steps: {a: {code: '1'}, b: {code: '2'}, c: {code: '3', needs: [b]}}\n")
    end = job.composite(action / "plan", {"config": "many.yaml", "parts": "5"}, job_environment())
    assert end.code == 0, end.log
    assert json.loads(end.outputs["matrix"]) == {
        "include": [{"shard": "1/2", "part": "1"}, {"shard": "2/2", "part": "2"}]
    }
    assert sorted(json.loads(end.outputs["steps"])) == ["a", "b", "c"]


def test_the_action_for_manifests_assembles_it_again(first: StepEnd, job: Job, action: Path) -> None:
    end = job.composite(action / "manifest", {}, job_environment())
    assert end.code == 0, end.log
    assert first.outputs["manifest-id"] in end.log


def test_the_action_for_merges_puts_parts_together(first: StepEnd, job: Job, action: Path) -> None:
    (job.workspace / "many.yaml").write_text("steps: {a: {code: '1'}, b: {code: '2'}}\ngates: none\n")
    for part in ("1/2", "2/2"):
        given = {"config": "many.yaml", "shard": part, "output-dir": f"mlops-out/part-{part[0]}"}
        assert job.composite(action / "run", given, job_environment()).code == 0
    given = {"folders": "mlops-out/part-*", "config": "many.yaml", "output-dir": "mlops-out/merged"}
    end = job.composite(action / "merge", given, job_environment())
    assert end.code == 0, end.log
    assert json.loads((job.workspace / end.outputs["run"]).read_text())["plan"]["steps"][1]["name"] == "b"


def test_the_action_for_comments_writes_one_and_says_so(first: StepEnd, job: Job, action: Path) -> None:
    forge = Forge()
    try:
        env = job_environment(GITHUB_API_URL=forge.url)
        given = {"github-token": "a-token", "report": first.outputs["report"]}
        end = job.composite(action / "comment", given, env)
        again = job.composite(action / "comment", given, env)
        forge.refuse = 403
        refused = job.composite(action / "comment", given, env)
    finally:
        forge.server.shutdown()
    assert [each.outputs["done"] for each in (end, again, refused)] == ["written", "unchanged", "refused"], end.log
    assert [each.code for each in (end, again, refused)] == [0, 0, 0]
    assert "# ✅ Verdict: pass" in forge.ours()[0]
    assert forge.token == "Bearer a-token"


def test_an_input_of_another_action_is_refused_with_its_name(first: StepEnd, job: Job, action: Path) -> None:
    end = job.composite(action / "gate", {}, job_environment(INPUT_MIN_ACURACY="0.9"))
    assert end.code == 2
    assert "there is no input `min_acuracy`" in end.log

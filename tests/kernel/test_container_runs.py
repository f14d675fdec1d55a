"""The tool, with steps that run in containers: on a host, and in a job that is in a container itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from acceptance.scratch import Ended, clean_env, tool
from kernel.images import KERNEL, TCP_KERNEL, containers, docker, image

pytestmark = [pytest.mark.kernel, pytest.mark.container]

ROOT = Path(__file__).parents[2]
SECRETS = {"GITHUB_TOKEN": "t0", "ACTIONS_RUNTIME_TOKEN": "t1", "CI_JOB_TOKEN": "t2", "AWS_SECRET_ACCESS_KEY": "t3"}
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
JOB = "RUN python3 -m venv /opt/t && /opt/t/bin/pip install --no-cache-dir 'docker>=7.1' " + " ".join(
    f"'{each}'" for each in DEPENDENCIES
)


def run_tool(place: Path, config: str, *arguments: str, **env: str) -> Ended:
    """The tool in a project of its own."""
    (place / "project" / "mlops.yaml").write_text(config)
    given = clean_env(place / "home", {"TMPDIR": str(place / "tmp"), **env})
    return tool(place / "project", ["run", "--gates", "none", *arguments], given)


def configuration(code: str, lines: str = KERNEL, **keys: str) -> str:
    place = {"image": image(lines), **keys}
    body = "\n".join(f"      {line}" for line in code.splitlines())
    return f"environment:\n  container: {json.dumps(place)}\nsteps:\n  first:\n    code: |\n{body}\n"


# The tool


def test_the_exact_image_is_in_the_record_of_a_run(place: Path) -> None:
    code = "import os\nprint(sorted(os.environ))"
    done = run_tool(place, configuration(code, network=False, memory="1GiB"), **SECRETS)  # type: ignore[arg-type]
    assert done.code == 0, done.text
    assert [name for name in SECRETS if name in done.text] == []
    run = json.loads((place / "project" / "mlops-out" / "run.json").read_text())
    kernel = run["plan"]["steps"][0]["kernel"]
    known = docker("image", "inspect", "--format", "{{.Id}}", image()).stdout.strip()
    assert (kernel["where"], kernel["place"]["image"], kernel["place"]["id"]) == ("container", image(), known)
    assert "registry" in kernel["place"]["why-no-digest"]
    assert (kernel["place"]["network"], kernel["place"]["memory"]) == (False, 1024**3)
    assert known in (place / "project" / "mlops-out" / "manifest.json").read_text()


def test_a_plan_asks_no_engine_for_anything(place: Path) -> None:
    (place / "project" / "mlops.yaml").write_text(configuration("print(1)"))
    env = clean_env(place / "home", {"DOCKER_HOST": "unix:///nowhere"})
    done = tool(place / "project", ["plan", "--gates", "none"], env)
    assert done.code == 0, done.text


def test_an_environment_problem_ends_the_run_before_its_first_step(place: Path) -> None:
    done = run_tool(place, configuration("print(1)"), DOCKER_HOST="unix:///nowhere")
    assert done.code == 4, done.text
    assert "no container engine answers; tried unix:///nowhere (no such socket)" in done.text


def test_what_a_killed_tool_left_is_removed_at_the_next_start(place: Path) -> None:
    (place / "project" / "mlops.yaml").write_text(configuration("import time\nprint('begun')\ntime.sleep(600)"))
    env = clean_env(place / "home", {"TMPDIR": str(place / "tmp")})
    log = place / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_action", "run", "--gates", "none"],
            cwd=place / "project", env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while "begun" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(containers(place)) == 1, log.read_text()
    assert run_tool(place, configuration("print(1)")).code == 0
    assert containers(place) == []


def test_a_terminated_tool_leaves_no_container(place: Path) -> None:
    (place / "project" / "mlops.yaml").write_text(configuration("import time\nprint('begun')\ntime.sleep(600)"))
    env = clean_env(place / "home", {"TMPDIR": str(place / "tmp")})
    log = place / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "mlops_action", "run", "--gates", "none"]
        process = subprocess.Popen(command, cwd=place / "project", env=env, stdout=out, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while "begun" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143, log.read_text()


# Inside of a job's container


@pytest.mark.parametrize("temporary", [True, False])
def test_a_job_in_a_container_starts_kernels_beside_itself(place: Path, temporary: bool) -> None:
    (place / "temp").mkdir()
    os.chown(place / "project", 1001, 123)
    (place / "project" / "mlops.yaml").write_text(
        configuration("import os\nopen('made.txt', 'w').write('x')\nprint(os.getcwd(), os.getuid())")
    )
    given = ["-v", f"{place / 'temp'}:/__t", "-e", "RUNNER_TEMP=/__t"] if temporary else []
    done = _in_job(*given, "-v", f"{place / 'project'}:/__w/project", "-w", "/__w/project")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/__w/project 1001" in done.stdout
    assert (place / "project" / "made.txt").stat().st_uid == 1001
    assert sorted(path.name for path in (place / "project").iterdir()) == ["made.txt", "mlops-out", "mlops.yaml"]
    assert list((place / "temp").iterdir()) == []


@pytest.mark.parametrize("user", ["1001:123", "4321:4321"])
def test_a_job_that_is_not_root_starts_kernels_as_whoever_was_asked_for(place: Path, user: str) -> None:
    (place / "temp").mkdir()
    for folder in (place / "temp", place / "project"):
        os.chown(folder, 1001, 123)
    (place / "project" / "mlops.yaml").write_text(
        configuration("import os; print(os.getuid(), os.getgid())", user=user)
    )
    group = str(Path("/var/run/docker.sock").stat().st_gid)
    given = ["--user", "1001:123", "--group-add", group, "-e", "HOME=/__t", "-e", "RUNNER_TEMP=/__t"]
    given += ["-v", f"{place / 'temp'}:/__t", "-v", f"{place / 'project'}:/__w/project", "-w", "/__w/project"]
    done = _in_job(*given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"  | {user.replace(':', ' ')}" in done.stdout
    assert [path.name for path in (place / "temp").iterdir() if path.name.startswith("mlops-")] == []


def test_a_job_on_a_network_of_its_own_reaches_kernels_there(place: Path) -> None:
    config = configuration("print(6 * 7)", TCP_KERNEL).replace("  first:", "  first:\n    kernel: other")
    (place / "project" / "mlops.yaml").write_text(config)
    network = f"mlops-action-test-{place.name}"
    assert docker("network", "create", network).returncode == 0
    try:
        done = _in_job("--network", network, "-v", f"{place / 'project'}:/__w/project", "-w", "/__w/project")
    finally:
        docker("network", "rm", network)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  | 42" in done.stdout


def test_a_job_whose_project_is_on_no_mount_is_told_so(place: Path) -> None:
    (place / "mlops.yaml").write_text(configuration("print(1)"))
    done = _in_job("-v", f"{place / 'mlops.yaml'}:/c.yaml:ro", "-w", "/srv", before="cp /c.yaml mlops.yaml && ")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "/srv is on no mount of this container" in done.stdout + done.stderr


def _in_job(*options: str, before: str = "") -> subprocess.CompletedProcess[str]:
    return docker(
        *("run", "--rm", "-v", "/var/run/docker.sock:/var/run/docker.sock", "-e", "PYTHONPATH=/src"),
        *("-v", f"{ROOT / 'mlops_action'}:/src/mlops_action:ro", "-e", "PYTHONDONTWRITEBYTECODE=1", *options),
        *(image(JOB), "sh", "-c", f"{before}/opt/t/bin/python -m mlops_action run --gates none"),
    )

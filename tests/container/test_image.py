"""The image: as a command, as the job image of Jenkins and GitLab, as GitHub's container action."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from container.github_job import FOUR_FEATURES, ROOT, WEAKER_PENALTY, Job, StepEnd
from docker import DockerClient
from docker.models.containers import Container as DockerContainer

Container = Callable[..., tuple[int, str]]
PullRequest = Callable[[tuple[str, str]], Job]

MEGABYTE = 1_000_000
SNIPPET = ("run", "--gates", "none", "--output-dir", "/tmp/out", "--code", "print('the kernel ran')")
IMAGE_REFERENCE = f"registry.example/mlops-action@sha256:{'5' * 64}"

pytestmark = pytest.mark.container


# The image itself


def test_the_default_base_image_is_pinned_by_its_digest() -> None:
    default = re.search(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert default is not None
    assert re.search(r"@sha256:[0-9a-f]{64}$", default[1])


def test_the_image_adds_little_to_its_base(engine: DockerClient, image: str, base_image: str) -> None:
    sizes = [engine.images.get(name).attrs["Size"] for name in (image, base_image)]
    assert sizes[0] - sizes[1] < 80 * MEGABYTE


def test_the_image_holds_the_package_and_nothing_else_of_the_checkout(image: str, container: Container) -> None:
    script = "ls -A /opt/mlops-action/src /opt/mlops-action/src/mlops_action; ls -A /tmp /root/.cache 2>/dev/null"
    _, said = container(image, "sh", "-c", script)
    package, _, rest = said.partition("/opt/mlops-action/src/mlops_action:\n")
    assert package.split() == ["/opt/mlops-action/src:", "mlops_action"]
    found, _, leftovers = rest.partition("\n/tmp:\n")
    ours = {path.name for path in (ROOT / "mlops_action").iterdir() if path.name != "__pycache__"}
    assert set(found.split()) - {"__pycache__"} == ours
    assert leftovers.split() == []


def test_the_image_names_its_licence_and_its_base(engine: DockerClient, image: str, base_image: str) -> None:
    labels = engine.images.get(image).labels
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.base.name"] == base_image


def test_a_checkout_that_only_its_owner_may_read_makes_an_image_for_everybody(
    build: Callable[..., str], base_image: str, container: Container, tmp_path: Path
) -> None:
    for name in ("Dockerfile", ".dockerignore", "requirements-image.lock"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("mlops_action", "container"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in tmp_path.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    private = build(tmp_path, "--build-arg", f"BASE_IMAGE={base_image}")
    assert container(private, "mlops-action", "--version", user="12345:23456")[0] == 0


# As a command


def test_the_image_alone_prints_the_help_and_ends_well(image: str, container: Container) -> None:
    code, said = container(image)
    assert code == 0
    assert said.startswith("Usage: mlops-action ")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("--version", r"mlops-action \d"),
        ("run --help", r"Usage: mlops-action run "),
        ("mlops-action gate --help", r"Usage: mlops-action gate "),
        ("git --version", r"git version \d"),
        ("/bin/echo --version", r"echo \("),
        ("python -c print(7)", r"7\n"),
    ],
)
def test_commands_options_and_other_programs_start_alike(
    image: str, container: Container, command: str, says: str
) -> None:
    code, said = container(image, *command.split())
    assert (code, bool(re.match(says, said))) == (0, True), said


def test_the_exit_code_of_our_command_line_is_that_of_the_container(image: str, container: Container) -> None:
    code, said = container(image, "mlops-action", "check")
    assert code == 2
    assert "no mlops.yaml" in said


def test_an_unknown_program_ends_with_127_and_the_nearest_command(image: str, container: Container) -> None:
    code, said = container(image, "chekc", "--config", "x")
    assert code == 127
    assert "no program `chekc`" in said
    assert "did you mean `check`?" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("program", "code"), [("/etc/passwd", 126), ("", 127), ("/no/such/program", 127)])
def test_what_cannot_be_started_ends_as_a_shell_would_say(
    image: str, container: Container, program: str, code: int
) -> None:
    ended, said = container(image, program)
    assert ended == code
    assert said.startswith("error: ")
    assert "Traceback" not in said


def test_a_program_inherits_no_signal_that_python_ignores(image: str, container: Container) -> None:
    _, said = container(image, "grep", "SigIgn", "/proc/self/status")
    assert int(said.split()[1], 16) == 0


def test_modules_of_the_checkout_never_stand_in_for_ours(image: str, container: Container, tmp_path: Path) -> None:
    for name in ("click", "json", "mlops_action", "random", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "mlops.yaml").write_text("version: 1\nsteps: {one: {code: pass}}\ngates: {g: {metric: m, min: 0}}\n")
    tmp_path.chmod(0o755)
    here = {"volumes": [f"{tmp_path}:/work:ro"], "working_dir": "/work", "environment": {"PYTHONPATH": "/work"}}
    for command in (["check"], ["sh", "-c", "mlops-action check"]):
        code, said = container(image, *command, **here)
        assert "shadowed" not in said
        assert code == 0, said


@pytest.mark.parametrize("options", [{}, {"read_only": True, "tmpfs": {"/tmp": ""}}], ids=["plain", "read-only"])
@pytest.mark.parametrize("user", ["0:0", "12345:23456"])
def test_any_user_runs_a_snippet_without_a_home_to_write_to(
    image: str, container: Container, user: str, options: dict[str, object]
) -> None:
    code, said = container(image, *SNIPPET, user=user, environment={"HOME": "/"}, working_dir="/tmp", **options)
    assert code == 0, said
    assert "| the kernel ran" in said


# As the job image of Jenkins and GitLab


@pytest.fixture
def checkout(give: Callable[[Path, str], None], tmp_path: Path) -> object:
    """The example's checkout on an agent whose user is 1000."""
    job = Job(tmp_path / "agent", WEAKER_PENALTY)
    give(job.workspace, "1000:1000")
    yield job.workspace
    give(job.workspace, f"{os.getuid()}:{os.getgid()}")


def processes_within(agent: DockerContainer, seconds: float) -> list[str]:
    """Names of the processes, as Jenkins asks for them, once it is no longer our entry point alone."""
    deadline = time.monotonic() + seconds
    while True:
        names = [row[0] for row in agent.top(ps_args="-eo comm,pid")["Processes"]]
        if not set(names) <= {"python", "python3"} or time.monotonic() > deadline:
            return names


def test_the_demo_runs_in_a_docker_agent_of_jenkins(engine: DockerClient, example_image: str, checkout: Path) -> None:
    here = str(checkout)
    agent = engine.containers.run(
        example_image,
        "cat",
        detach=True,
        tty=True,
        user="1000:1000",
        working_dir=here,
        volumes={here: {"bind": here, "mode": "rw,z"}},
        environment={"CHANGE_TARGET": "main", "JENKINS_URL": "https://jenkins.example/"},
    )
    try:
        assert "cat" in processes_within(agent, 1.0)
        code, said = agent.exec_run(["sh", "-c", "mlops-action run"])
    finally:
        agent.remove(force=True)
    assert code == 0, said.decode()
    assert json.loads((checkout / "mlops-out" / "verdicts.json").read_text())["outcome"] == "pass"
    assert owners(checkout / "mlops-out") == {(1000, 1000)}


@pytest.mark.parametrize(
    "start",
    [["--entrypoint", "", "IMAGE", "sh"], ["IMAGE", "sh", "-c", "if [ -x /bin/bash ]; then exec /bin/bash; fi"]],
    ids=["entrypoint-emptied", "entrypoint-kept"],
)
def test_a_script_on_standard_input_runs_as_gitlab_sends_it(image: str, start: list[str], tmp_path: Path) -> None:
    script = 'set -e\ncd "$CI_PROJECT_DIR"\necho "$0"\nmlops-action run --gates none --code "print(6 * 7)"\necho done\n'
    options = ["-i", "--rm", "-e", "GITLAB_CI=true", "-e", "CI_PROJECT_DIR=/builds/team/project"]
    done = subprocess.run(
        [
            "docker",
            "run",
            *options,
            "-w",
            "/builds/team/project",
            *(image if part == "IMAGE" else part for part in start),
        ],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| 42" in done.stdout
    assert done.stdout.endswith("done\n")


def test_a_login_shell_finds_the_command_although_it_forgets_the_path(image: str, container: Container) -> None:
    code, said = container(image, "bash", "-l", "-c", "mlops-action --version", user="1000:1000")
    assert code == 0, said


# As a container action of GitHub


@pytest.fixture(scope="module")
def accepted(pull_request: PullRequest, example_image: str) -> tuple[Job, StepEnd]:
    job = pull_request(WEAKER_PENALTY)
    return job, job.container(example_image, {}, {"MLOPS_ACTION_IMAGE": IMAGE_REFERENCE})


@pytest.fixture(scope="module")
def blocked(pull_request: PullRequest, example_image: str) -> StepEnd:
    return pull_request(FOUR_FEATURES).container(example_image, {})


def owners(folder: Path) -> set[tuple[int, int]]:
    seen = [path.stat() for path in (folder, *folder.rglob("*"))]
    return {(each.st_uid, each.st_gid) for each in seen}


def test_a_change_that_is_no_worse_is_accepted_on_github(accepted: tuple[Job, StepEnd]) -> None:
    _, end = accepted
    assert end.code == 0, end.log
    assert end.outputs["verdict"] == "pass"
    assert json.loads(end.outputs["failed-gates"]) == []
    assert "accuracy-floor" in end.summary


def test_every_declared_output_of_the_action_is_set(accepted: tuple[Job, StepEnd]) -> None:
    job, end = accepted
    declared = yaml.safe_load((ROOT / "container" / "action.yml").read_text())["outputs"]
    assert set(end.outputs) == set(declared)
    for name in ("report", "junit", "run", "manifest"):
        assert (job.workspace / end.outputs[name]).is_file()


def test_results_belong_to_the_owner_of_the_checkout(accepted: tuple[Job, StepEnd]) -> None:
    job, _ = accepted
    assert owners(job.workspace / "mlops-out") == {(1001, 123)}


def test_the_identity_holds_the_digest_of_the_image(accepted: tuple[Job, StepEnd]) -> None:
    job, end = accepted
    manifest = json.loads((job.workspace / end.outputs["manifest"]).read_text())
    assert manifest["manifest-id"] == end.outputs["manifest-id"]
    assert manifest["identity"]["image"] == {"container": True, "digest": f"sha256:{'5' * 64}"}


def test_the_source_in_the_manifest_is_the_commit_in_the_checkout(accepted: tuple[Job, StepEnd]) -> None:
    job, end = accepted
    manifest = json.loads((job.workspace / end.outputs["manifest"]).read_text())
    git = ["git", "-c", f"safe.directory={job.workspace}", "rev-parse", "HEAD", "HEAD^{tree}"]
    commit, tree = subprocess.run(git, cwd=job.workspace, capture_output=True, text=True, check=True).stdout.split()
    assert manifest["locator"]["source"]["commit"] == commit
    assert manifest["identity"]["source"]["tree"] == tree


def test_a_change_that_is_worse_is_blocked_on_github(blocked: StepEnd) -> None:
    assert blocked.code == 1, blocked.log
    assert blocked.outputs["verdict"] == "fail"
    assert "accuracy-floor" in json.loads(blocked.outputs["failed-gates"])
    assert re.search(r"^::error .*accuracy-floor", blocked.log, re.MULTILINE)


def test_a_misspelt_input_ends_the_step_with_2(pull_request: PullRequest, image: str) -> None:
    end = pull_request(WEAKER_PENALTY).container(image, {"min-acuracy": "0.9"})
    assert end.code == 2, end.log
    assert "no input `min-acuracy`" in end.log
    assert end.outputs.get("verdict") != "pass"


FORBIDDEN = {
    "ACTIONS_RUNTIME_TOKEN": "a-token-of-the-runtime",
    "ACTIONS_RUNTIME_URL": "https://runtime.example/",
    "ACTIONS_RESULTS_URL": "https://results.example/",
    "ACTIONS_CACHE_URL": "https://cache.example/",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-token-for-tokens",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://tokens.example/",
    "GITHUB_TOKEN": "a-token-of-the-job",
    "GITHUB_ENV": "",
    "GITHUB_OUTPUT": "",
    "GITHUB_PATH": "",
    "GITHUB_STATE": "",
    "GITHUB_STEP_SUMMARY": "",
    "INPUT_CODE": "",
    "INPUT_OUTPUT-DIR": "",
    "DOCKER_HOST": "unix:///var/run/docker.sock",
    "A_TOKEN": "another-token",
}
"""What a cell must not find by its name, and values that the job has; without one the runner's own."""
LOOK = """
import ctypes, json, os, subprocess, sys

def found(name):
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    child = [sys.executable, "-c", "import os, sys; print(os.environ.get(sys.argv[1], ''))", name]
    ways = {
        "os.environ": os.environ.get(name),
        "getenv": (libc.getenv(name.encode()) or b"").decode(),
        "a child": subprocess.run(child, capture_output=True, text=True).stdout.strip(),
        "a shell": subprocess.run(["sh", "-c", 'printenv "$0"', name], capture_output=True, text=True).stdout.strip(),
        "its own /proc": "there" if f"{name}=".encode() in open("/proc/self/environ", "rb").read() else "",
    }
    return {way: value for way, value in ways.items() if value}

names = NAMES
json.dump({"found": {name: found(name) for name in names}, "all": dict(os.environ)}, open("seen.json", "w"))
print("looked")
"""


@pytest.fixture(scope="module")
def seen(pull_request: PullRequest, image: str) -> dict[str, dict[str, object]]:
    """What a cell of a container action finds of its job's environment."""
    job = pull_request(WEAKER_PENALTY)
    given = {"code": LOOK.replace("NAMES", repr([*FORBIDDEN])), "gates": "none", "config": "", "output-dir": "results"}
    end = job.container(image, given, {name: value for name, value in FORBIDDEN.items() if value})
    assert end.code == 0, end.log
    assert "looked" in end.log
    found: dict[str, dict[str, object]] = json.loads((job.workspace / "seen.json").read_text())
    return found


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_cell_cannot_reach_what_steers_the_job_by_its_name(seen: dict[str, dict[str, object]], name: str) -> None:
    assert seen["found"][name] == {}


def test_the_kernel_sees_neither_tokens_nor_inputs_nor_command_files(seen: dict[str, dict[str, object]]) -> None:
    variables = seen["all"]
    assert variables["CI"] == "true"
    assert not [name for name in variables if name.startswith(("ACTIONS_", "INPUT_", "GITHUB_", "RUNNER_", "DOCKER_"))]
    assert not [value for value in variables.values() if "token" in str(value) or "file_commands" in str(value)]


def test_what_a_notebook_leaves_in_the_checkout_belongs_to_its_owner(pull_request: PullRequest, image: str) -> None:
    job = pull_request(WEAKER_PENALTY)
    code = "import os\nos.makedirs('new folder/deep')\nopen('new folder/deep/m.bin', 'w')\nos.symlink('/etc', 'etc')"
    end = job.container(image, {"code": code, "gates": "none", "output-dir": "results"})
    assert end.code == 0, end.log
    everything = [path.lstat() for path in job.workspace.rglob("*")]
    assert {(each.st_uid, each.st_gid) for each in everything} == {(1001, 123)}


ZERO = "0" * 40


@pytest.mark.parametrize(
    ("name", "payload", "env"),
    [
        ("workflow_dispatch", {"inputs": {}}, {"GITHUB_REF": "refs/heads/topic"}),
        ("schedule", {"schedule": "0 4 * * 1"}, {"GITHUB_REF": "refs/heads/topic"}),
        ("push", {"ref": "refs/tags/v1", "before": ZERO}, {"GITHUB_REF": "refs/tags/v1", "GITHUB_REF_TYPE": "tag"}),
        (
            "merge_group",
            {"merge_group": {"base_ref": "refs/heads/main", "base_sha": ZERO, "head_sha": ZERO}},
            {"GITHUB_REF": f"refs/heads/gh-readonly-queue/main/pr-7-{ZERO}"},
        ),
    ],
)
def test_every_event_has_its_baseline_whatever_refs_the_checkout_has(
    pull_request: PullRequest, image: str, name: str, payload: dict[str, object], env: dict[str, str]
) -> None:
    job = pull_request(WEAKER_PENALTY)
    subprocess.run(
        ["git", "-c", "safe.directory=*", "remote", "set-head", "origin", "--delete"], cwd=job.workspace, check=True
    )  # actions/checkout makes none
    payload = {**payload, "repository": {"default_branch": "main"}}
    gate = "kept: {metric: accuracy, max-drop: 0.01, baseline: 'git::metrics/accepted.json'}"
    given = {"metrics": "metrics/accepted.json", "gates": gate, "config": "", "output-dir": "results"}
    end = job.container(image, given, job.of_event(name, payload, **env))
    assert end.outputs.get("verdict") == "pass", end.log
    assert end.code == 0, end.log


def test_inputs_with_a_hyphen_in_their_name_arrive(pull_request: PullRequest, image: str) -> None:
    job = pull_request(WEAKER_PENALTY)
    end = job.container(image, {"dry-run": "true", "output-dir": "else/where"})
    assert end.code == 0, end.log
    assert not (job.workspace / "mlops-out").exists()
    assert "train" in end.log

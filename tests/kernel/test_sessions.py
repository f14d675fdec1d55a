"""Sessions: each command is a process of its own, as in the steps of a CI job."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from acceptance.scratch import Ended, clean_env
from kernel.bench import marked_processes
from kernel.images import image

pytestmark = pytest.mark.kernel

CONFIG = """\
environment: {set: {FLAVOUR: plain}, idle: 2h}
environments:
  other: {set: {FLAVOUR: other}}
"""
SLEEP = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
DEAF = (
    "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('begun', flush=True)\n"
    "while True: time.sleep(1)"
)


@dataclass
class Job:
    """A CI job: a project, and commands that run one after the other."""

    folder: Path
    runtime: Path
    env: dict[str, str]

    def begin(self, *arguments: str, text: str = "", **env: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_action", *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdin is not None
        process.stdin.write(text.encode())
        process.stdin.close()
        process.stdin = None
        return process

    def step(self, *arguments: str, text: str = "", **env: str) -> Ended:
        """One command, to its end."""
        process = self.begin(*arguments, text=text, **env)
        out, _ = process.communicate(timeout=90)
        return Ended(process.returncode, out)

    def snippet(self, code: str, *more: str, name: str = "train", **env: str) -> Ended:
        return self.step("snippet", "--session", name, "--code", code, *more, **env)

    def ok(self, code: str, *more: str, name: str = "train", **env: str) -> list[str]:
        """What a snippet printed that ended well."""
        ended = self.snippet(code, *more, name=name, **env)
        assert ended.code == 0, ended.text
        return [line.removeprefix("  | ") for line in ended.lines if line.startswith("  | ")]

    def listed(self, **env: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.step("session", "list", "--json", **env).text)
        return found

    def state(self) -> dict[str, Any]:
        [folder] = self.kept()
        found: dict[str, Any] = json.loads((folder / "session.json").read_text())
        return found

    def kept(self) -> list[Path]:
        return [path for base in self.runtime.glob("mlops-action-*") for path in base.iterdir() if path.is_dir()]

    def notebook(self, name: str = "train") -> Any:
        return nbformat.read(self.folder / "mlops-out" / "sessions" / f"{name}.ipynb", as_version=4)

    def processes(self, seconds: float = 10) -> list[str]:
        """What is left of the sessions after a grace: supervisors, watchers, kernels, what they started."""
        deadline = time.monotonic() + seconds
        while (left := sorted(self._processes())) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _processes(self) -> Iterator[str]:
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and entry.name != str(os.getpid()):
                    words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                    if str(self.runtime).encode() in words:
                        yield f"{entry.name} {(entry / 'cmdline').read_bytes()[:300]!r}"


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    folder = tmp_path / "prøject"
    folder.mkdir()
    runtime = Path(tempfile.mkdtemp(prefix="s-"))
    made = Job(folder, runtime, clean_env(tmp_path / "home", {"XDG_RUNTIME_DIR": str(runtime)}))
    yield made
    made.step("session", "stop", "--all")
    left = made.processes()
    shutil.rmtree(runtime, ignore_errors=True)
    assert left == []


def wait_for(sign: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not sign():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def until_printed(process: subprocess.Popen[bytes], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text.encode() in line:
            return
    pytest.fail(f"it ended without {text}")


# --- state


def test_a_snippet_sees_the_variables_of_the_step_before(job: Job) -> None:
    assert job.ok("x = 20\nprint('first')") == ["first"]
    assert job.ok("print(x + 1)") == ["21"]
    (job.folder / "more.py").write_text("x += 3\n")
    assert job.step("snippet", "--session", "train", "--file", "more.py").code == 0
    piped = job.step("snippet", "--session", "train", "-", text="print('now', x)")
    assert "  | now 23" in piped.lines


def test_two_sessions_of_one_job_know_nothing_of_each_other(job: Job) -> None:
    job.ok("x = 1")
    assert job.snippet("x", name="other").code == 3
    assert [each["name"] for each in job.listed()] == ["other", "train"]


def test_jobs_and_projects_have_sessions_of_their_own(job: Job) -> None:
    job.ok("x = 1", GITHUB_RUN_ID="1", GITHUB_JOB="a")
    try:
        assert job.snippet("x", GITHUB_RUN_ID="1", GITHUB_JOB="b").code == 3
        assert job.listed() == []
        assert [each["cells"] for each in job.listed(GITHUB_RUN_ID="1", GITHUB_JOB="a")] == [1]
    finally:
        for name in ("a", "b"):
            job.step("session", "stop", "--all", GITHUB_RUN_ID="1", GITHUB_JOB=name)


def test_the_last_step_of_a_job_finds_sessions_in_every_folder_of_it(job: Job) -> None:
    project = job.folder / "models" / "churn"
    project.mkdir(parents=True)
    (project / "mlops.yaml").write_text("steps:\n  one: {code: pass}\ngates: none\n")
    config = ("--config", "models/churn/mlops.yaml")
    assert job.ok("import os; print(os.getcwd())", *config, CI_JOB_ID="7") == [str(project)]
    assert [each["name"] for each in job.listed(CI_JOB_ID="7")] == ["train"]
    assert job.step("session", "stop", "train", CI_JOB_ID="7").code == 2
    stopped = job.step("session", "stop", "--all", CI_JOB_ID="7")
    assert "its notebook is models/churn/mlops-out/sessions/train.ipynb" in stopped.text
    assert (project / "mlops-out/sessions/train.ipynb").is_file()


def test_parameters_reach_the_snippet_of_their_command(job: Job) -> None:
    assert job.ok("print(rate * 2)", "-p", "rate=0.25") == ["0.5"]
    assert job.ok("print(rate, word)", "-P", "word=007") == ["0.25 007"]


def test_a_failing_snippet_fails_its_step_and_the_session_goes_on(job: Job) -> None:
    job.ok("x = 1")
    failed = job.snippet("y = 2\n1/0")
    assert failed.code == 3
    assert "line 2: ZeroDivisionError" in failed.text
    assert job.ok("print(x, y)") == ["1 2"]


def test_a_failing_shell_command_raises_once_however_many_commands_there_were(job: Job) -> None:
    for _ in range(3):
        job.ok("pass")
    failed = job.snippet("!exit 3")
    assert failed.code == 3
    assert failed.text.count("CalledProcessError") < 8
    assert failed.text.count("guarded(command)") == 1


def test_hostile_output_of_a_session_is_made_harmless(job: Job) -> None:
    shown = job.snippet("print('::set-output name=a::b\\n##[error]x')", GITHUB_ACTIONS="true")
    assert shown.code == 0, shown.text
    assert not [line for line in shown.lines if line.startswith("::set-output")]
    assert "##[error]" not in shown.text


def test_each_language_can_have_a_session(job: Job, tmp_path: Path) -> None:
    if not shutil.which("Rscript") or not Path("/usr/share/jupyter/kernels/ir").exists():
        pytest.skip("R's kernel is not installed")
    job.ok("x <- 20", "--kernel", "ir")
    assert job.ok("cat(x + 1)") == ["21"]


# --- environment


def test_the_kernel_sees_the_configuration_s_environment_and_nothing_of_the_ci_system(job: Job) -> None:
    (job.folder / "mlops.yaml").write_text(CONFIG)
    ci = {
        "GITHUB_TOKEN": "t" * 20,
        "GITHUB_ENV": "/x",
        "ACTIONS_RUNTIME_TOKEN": "u" * 20,
        "RUNNER_TRACKING_ID": "github_1",
        "JENKINS_NODE_COOKIE": "c1",
    }
    [seen] = job.ok("import os, json; print(json.dumps(dict(os.environ)))", **ci)
    env = json.loads(seen)
    assert env["FLAVOUR"] == "plain"
    assert not set(ci) & set(env)
    assert job.state()["idle"] == 7200
    supervisor = Path(f"/proc/{job.state()['supervisor']}/environ").read_bytes()
    assert b"RUNNER_TRACKING_ID=github_1\0" in supervisor
    assert b"JENKINS_NODE_COOKIE=c1\0" in supervisor
    assert b"t" * 20 not in supervisor
    assert b"u" * 20 not in supervisor


def test_the_kernel_of_a_session_can_be_named_again_but_not_changed(job: Job) -> None:
    (job.folder / "mlops.yaml").write_text(CONFIG)
    assert job.ok("import os; print(os.environ['FLAVOUR'])", "--environment", "other") == ["other"]
    assert job.ok("print(os.environ['FLAVOUR'])") == ["other"]
    job.ok("pass", "--environment", "other", "--kernel", "python3")
    job.ok("pass", "--kernel", "python3")
    (job.folder / "mlops.yaml").write_text(CONFIG + "  third: {}\n")
    for named in (("--kernel", "bash"), ("--environment", "third")):
        refused = job.snippet("pass", *named)
        assert refused.code == 2
        assert f"{named[0]}: session `train` runs in kernel `other/python3`" in refused.text
        assert "session stop train" in refused.text


def test_a_variable_that_the_kernel_was_not_started_with_is_refused(job: Job) -> None:
    job.ok("pass")
    refused = job.snippet("pass", "--pass-env", "WHAT", WHAT="x")
    assert refused.code == 2
    assert "does not see WHAT" in refused.text


def test_a_secret_is_masked_in_every_later_step_and_in_the_notebook(job: Job) -> None:
    secret = "hunter2-the-key"
    first = job.snippet("print(API_KEY)", "-p", "API_KEY={secret: MY_KEY}", MY_KEY=secret)
    second = job.snippet("print('again', API_KEY)")
    passed = job.snippet("import os; print(os.environ['A_TOKEN'])", "--pass-env", "A_TOKEN", name="b", A_TOKEN=secret)
    later = job.snippet("print(os.environ['A_TOKEN'])", name="b")
    for ended in (first, second, passed, later):
        assert ended.code == 0, ended.text
        assert "***" in ended.text
        assert secret not in ended.text
    job.step("session", "stop", "--all")
    for path in (job.folder / "mlops-out").rglob("*.ipynb"):
        assert secret not in path.read_text()
        assert "***" in path.read_text()


# --- privacy


def test_nobody_else_can_look_into_a_session_s_folder(job: Job) -> None:
    job.ok("pass")
    [folder] = job.kept()
    for path in (folder.parent, folder, *folder.glob("mlops-*")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    [connection] = folder.glob("mlops-*/kernel.json")
    assert stat.S_IMODE(connection.stat().st_mode) == 0o600
    assert json.loads(connection.read_text())["transport"] == "ipc"
    assert stat.S_IMODE((folder / "control").stat().st_mode) == 0o600


def test_a_folder_that_others_may_look_into_is_refused(job: Job) -> None:
    job.ok("pass")
    [folder] = job.kept()
    for open_to_all in (folder, folder.parent):
        open_to_all.chmod(0o755)
        refused = job.snippet("print('never')")
        assert refused.code == 4
        assert "others may look into it" in refused.text
        assert "never" not in refused.text
        open_to_all.chmod(0o700)
    assert job.ok("print('again')") == ["again"]


def test_a_folder_that_somebody_else_prepared_is_refused(job: Job) -> None:
    base = job.runtime / f"mlops-action-{os.geteuid()}"
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    base.mkdir(mode=0o700)
    os.chown(base, 12345, 12345)
    refused = job.snippet("pass")
    assert refused.code == 4
    assert "belongs to another user" in refused.text
    os.chown(base, 0, 0)
    shutil.rmtree(base)
    base.symlink_to(job.folder)
    assert "it is not a folder" in job.snippet("pass").text
    base.unlink()


def test_what_was_forgotten_long_ago_is_removed_by_the_next_session(job: Job) -> None:
    job.ok("pass", name="old", CI_JOB_ID="1")
    os.kill(job.state()["supervisor"], signal.SIGKILL)
    [folder] = job.kept()
    lock = folder.with_name("0123.lock")
    lock.touch()
    wait_for(lambda: not job.processes(0))
    for path in (folder, lock):
        os.utime(path, (1, 1))
    job.ok("pass", CI_JOB_ID="2")
    try:
        assert not folder.exists()
        assert not lock.exists()
    finally:
        job.step("session", "stop", "--all", CI_JOB_ID="2")


# --- time-outs, interrupts and kills


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_leaves_the_session_alive(job: Job, number: int, code: int) -> None:
    job.ok("x = 7")
    process = job.begin("snippet", "--session", "train", "--code", SLEEP)
    until_printed(process, "begun")
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == code
    assert job.ok("print(x)") == ["7"]


def test_a_cell_that_takes_too_long_is_interrupted_and_the_session_goes_on(job: Job) -> None:
    job.ok("x = 7")
    late = job.snippet(SLEEP, "--timeout", "1s")
    assert late.code == 3
    assert "took longer than its 1 s" in late.text
    assert job.ok("print(x)") == ["7"]


def test_the_cell_of_a_killed_command_is_interrupted_and_marked_as_lost(job: Job) -> None:
    job.ok("x = 7")
    process = job.begin("snippet", "--session", "train", "--code", SLEEP)
    until_printed(process, "begun")
    process.kill()
    process.communicate()
    assert job.ok("print(x)") == ["7"]
    job.step("session", "stop", "train")
    status = [cell.metadata["mlops-action"]["session"]["status"] for cell in job.notebook().cells]
    assert status == ["ok", "lost", "ok"]


def test_a_cell_that_is_deaf_to_interrupts_keeps_the_next_command_out(job: Job) -> None:
    process = job.begin("snippet", "--session", "train", "--code", DEAF)
    until_printed(process, "begun")
    process.kill()
    process.communicate()
    refused = job.snippet("print('never')")
    assert refused.code == 4
    assert "still busy with the cell of an earlier command" in refused.text
    assert "session stop train" in refused.text
    assert job.step("session", "stop", "train").code == 0
    assert job.kept() == []


def test_a_kernel_that_dies_is_told_until_the_session_is_stopped(job: Job) -> None:
    job.ok("x = 1")
    died = job.snippet("import os; os.kill(os.getpid(), 9)")
    assert died.code == 3
    assert "SIGKILL" in died.text
    for _ in range(2):
        refused = job.snippet("print('never')")
        assert refused.code == 4
        assert "session `train` has ended: it was killed (SIGKILL)" in refused.text
        assert "session stop train" in refused.text
    assert job.listed()[0]["state"] == "ended"
    assert job.processes() == []
    stopped = job.step("session", "stop", "train")
    assert "it had ended before" in stopped.text
    assert len(job.notebook().cells) == 2
    assert job.ok("print('anew')") == ["anew"]


def test_a_kernel_that_is_killed_between_two_commands_is_told(job: Job) -> None:
    [pid] = job.ok("import os; print(os.getpid())")
    os.kill(int(pid), signal.SIGKILL)
    wait_for(lambda: job.listed()[0]["state"] == "ended")
    assert "SIGKILL" in job.snippet("pass").text


def test_a_killed_supervisor_takes_the_kernel_and_its_children_along(job: Job) -> None:
    job.ok(
        "import subprocess\n"
        "subprocess.Popen(['sleep', '600'])\n"
        "subprocess.Popen(['sleep', '600'], start_new_session=True)"
    )
    token = job.state()["token"]
    assert len(list(marked_processes(token))) >= 3
    os.kill(job.state()["supervisor"], signal.SIGKILL)
    wait_for(lambda: not list(marked_processes(token)))
    assert job.listed()[0]["state"] == "gone"
    refused = job.snippet("print('never')")
    assert refused.code == 4
    assert "session `train` is gone" in refused.text
    assert "mlops-out/sessions/train.ipynb" in refused.text
    assert len(job.notebook().cells) == 1
    assert job.kept() == []
    assert job.ok("print('anew')") == ["anew"]


def test_a_kernel_that_does_not_watch_its_parent_ends_with_a_killed_supervisor(job: Job) -> None:
    spec = Path(job.env["HOME"]) / ".local/share/jupyter/kernels/careless"
    spec.mkdir(parents=True)
    program = "import os; del os.environ['JPY_PARENT_PID']; import runpy; runpy.run_module('ipykernel_launcher')"
    argv = [sys.executable, "-c", program.replace("launcher')", "launcher', run_name='__main__')"), "-f"]
    kernel = {"argv": [*argv, "{connection_file}"], "language": "python", "display_name": "x"}
    (spec / "kernel.json").write_text(json.dumps(kernel))
    job.ok("x = 1", "--kernel", "careless")
    token = job.state()["token"]
    assert list(marked_processes(token))
    os.kill(job.state()["supervisor"], signal.SIGKILL)
    wait_for(lambda: not list(marked_processes(token)))


def test_a_job_that_is_ended_by_its_ci_system_ends_its_sessions_in_order(job: Job) -> None:
    job.ok("x = 1")
    os.kill(job.state()["supervisor"], signal.SIGTERM)
    assert job.processes() == []
    assert job.listed()[0]["how"] == "it was ended from outside (SIGTERM)"


def test_what_a_restarted_machine_has_left_is_cleaned_and_reported(job: Job) -> None:
    job.ok("pass")
    [folder] = job.kept()
    copied = shutil.copytree(folder, job.runtime / "copy", ignore=shutil.ignore_patterns("control", "k-*"))
    job.step("session", "stop", "train")
    shutil.move(copied, folder)
    assert "the machine was restarted" in job.snippet("pass").text
    assert job.kept() == []


def test_a_killed_supervisor_is_noticed_by_the_command_that_runs(job: Job) -> None:
    process = job.begin("snippet", "--session", "train", "--code", SLEEP)
    until_printed(process, "begun")
    os.kill(job.state()["supervisor"], signal.SIGKILL)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 3
    assert b"the kernel died: its supervisor was killed" in out


def test_a_session_ends_when_it_was_idle_for_too_long(job: Job) -> None:
    job.ok("x = 1", "--idle", "1s")
    assert job.processes() == []
    [told] = job.listed()
    assert (told["state"], told["how"]) == ("ended", "it was idle for longer than 1.0s")
    assert "idle for longer" in job.snippet("pass").text


def test_a_session_is_not_idle_while_a_cell_runs(job: Job) -> None:
    job.ok("x = 1", "--idle", "1s")
    assert job.ok("import time; time.sleep(2); print(x)", "--idle", "1h") == ["1"]


def test_a_kernel_that_cannot_start_leaves_no_session(job: Job) -> None:
    spec = Path(job.env["HOME"]) / ".local/share/jupyter/kernels/broken"
    spec.mkdir(parents=True)
    for argv in (["/nowhere/python"], [sys.executable, "-c", "import sys; sys.exit('no luck')"]):
        (spec / "kernel.json").write_text(json.dumps({"argv": argv, "language": "python", "display_name": "x"}))
        failed = job.snippet("pass", "--kernel", "broken")
        assert failed.code == 4, failed.text
        assert job.kept() == []
    assert "no luck" in failed.text


# --- more than one at once


def test_a_second_command_waits_for_the_first(job: Job) -> None:
    first = job.begin("snippet", "--session", "train", "--code", "import time\nprint('begun')\ntime.sleep(2); x = 5")
    until_printed(first, "begun")
    second = job.snippet("print(x)")
    first.communicate()
    assert second.code == 0, second.text
    assert f"session train is in use by process {first.pid}" in second.text
    assert "  | 5" in second.lines


def test_two_commands_that_start_the_same_session_at_once_share_it(job: Job) -> None:
    both = [job.begin("snippet", "--session", "train", "--code", "import os; print(os.getpid())") for _ in range(3)]
    said = {process.communicate(timeout=60)[0].split(b"  | ")[1].split()[0] for process in both}
    assert len(said) == 1
    assert job.listed()[0]["cells"] == 3


def test_a_running_session_can_be_stopped_from_outside(job: Job) -> None:
    process = job.begin("snippet", "--session", "train", "--code", SLEEP)
    until_printed(process, "begun")
    stopped = job.step("session", "stop", "--all")
    assert stopped.code == 0, stopped.text
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 3
    assert b"the kernel died: it was stopped" in out
    assert job.kept() == []
    assert job.notebook().cells[0].metadata["mlops-action"]["session"]["failure"] == "kernel-died"


# --- the notebook


def test_the_exported_notebook_says_which_step_ran_each_cell_and_how_it_ended(job: Job) -> None:
    job.ok("x = 1\nprint('a')", GITHUB_ACTION="load")
    job.snippet("1/0", STAGE_NAME="Fit")
    job.snippet("print(n)", "-p", "n=3", "--as", "evaluate")
    done = job.step("session", "export", "train", "--output", "so far.ipynb")
    assert done.code == 0, done.text
    notebook = nbformat.read(job.folder / "so far.ipynb", as_version=4)
    nbformat.validate(notebook)
    about = [cell.metadata["mlops-action"]["session"] for cell in notebook.cells]
    told = [(each["step"], each["command"], each["status"]) for each in about]
    assert told == [("load", 1, "ok"), ("Fit", 2, "failed"), ("evaluate", 3, "ok"), ("evaluate", 3, "ok")]
    assert about[1]["message"] == "ZeroDivisionError: division by zero"
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, 4]
    assert notebook.cells[0].outputs[0].text == "a\n"
    assert notebook.metadata.kernelspec.name == "python3"
    assert job.ok("print(x)") == ["1"]


def test_stopping_leaves_the_notebook_and_nothing_else(job: Job) -> None:
    job.ok("print('kept')")
    stopped = job.step("session", "stop", "train", "--output-dir", "results")
    assert "its notebook is results/sessions/train.ipynb" in stopped.text
    assert (job.folder / "results/sessions/train.ipynb").is_file()
    assert job.processes(0.2) == []
    assert [path for base in job.runtime.glob("mlops-action-*") for path in base.iterdir()] == []


def test_a_run_leaves_the_notebooks_of_sessions_alone(job: Job) -> None:
    job.ok("pass")
    job.step("session", "stop", "--all")
    assert job.step("run", "--code", "pass", "--gates", "none").code == 0
    assert len(job.notebook().cells) == 1


# --- without a session


def test_a_snippet_without_a_session_runs_in_a_fresh_kernel_like_a_run(job: Job) -> None:
    ended = job.step("snippet", "--code", "print(6 * 7)")
    assert ended.code == 0, ended.text
    assert "  | 42" in ended.lines
    assert json.loads((job.folder / "mlops-out/run.json").read_text())["steps"][0]["status"] == "ok"
    assert job.step("snippet", "-", text="1/0").code == 3
    assert job.listed() == []


PLACES = {
    "warm": "{warm: true}",
    "container": "{container: {image: %s}}",
}


@pytest.mark.parametrize("place", ["warm", pytest.param("container", marks=pytest.mark.container)])
def test_a_session_keeps_its_kernel_wherever_it_runs(place: str, job: Job) -> None:
    spec = PLACES[place] % image() if place == "container" else PLACES[place]
    (job.folder / "mlops.yaml").write_text(f"environments: {{elsewhere: {spec}}}\nsteps: {{a: {{code: '1'}}}}\n")
    job.ok("x = 20", "--environment", "elsewhere")
    assert job.ok("print(x + 1)", "--environment", "elsewhere") == ["21"]
    assert job.step("session", "stop", "train").code == 0
    assert job.listed() == []

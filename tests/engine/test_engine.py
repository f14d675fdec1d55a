"""Hazards of real notebooks: one run of all of them, and what it says of each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

HERE = Path(__file__).parent
SECRET = "hunter2-the-key"


@dataclass(frozen=True)
class Run:
    """What is left of the run."""

    folder: Path
    log: str
    code: int

    def step(self, name: str) -> dict[str, Any]:
        document = json.loads((self.folder / "mlops-out" / "run.json").read_text())
        return next(step for step in document["steps"] if step["name"] == name)

    def failure(self, name: str) -> tuple[str, str]:
        failure = self.step(name)["failure"]
        assert failure is not None, f"{name} did not fail"
        return failure["kind"], failure["message"]

    def notebook(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "mlops-out" / "notebooks" / f"{name}.ipynb").read_text())
        return document

    def printed(self, name: str) -> str:
        cells = self.notebook(name)["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", []) if output["output_type"] == "stream"]
        return "".join("".join(output["text"]) for output in outputs)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("hazards") / "project"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_"))}
    env = {**kept, "TEST_API_KEY": SECRET, "ACTIONS_RUNTIME_TOKEN": "t" * 20, "INPUT_GATES": "none"}
    command = [sys.executable, "-m", "mlops_action", "run"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)
    return Run(folder, done.stdout + done.stderr, done.returncode)


def test_a_failed_step_ends_with_code_3_and_the_others_go_on(run: Run) -> None:
    assert run.code == 3, run.log
    assert run.step("too-large-display")["status"] == "ok"


def test_a_cell_that_prints_for_ever_is_stopped_and_its_output_is_bounded(run: Run) -> None:
    assert run.failure("prints-for-ever") == ("timed-out", "the cell took longer than its 2 s")
    [cell] = run.step("prints-for-ever")["cells"]
    assert cell["output-cut"] > 1_000_000
    assert (run.folder / "mlops-out" / "notebooks" / "prints-for-ever.ipynb").stat().st_size < 2_000_000
    assert "left out here" in run.printed("prints-for-ever")


def test_a_step_time_out_keeps_the_output_and_names_the_line(run: Run) -> None:
    assert run.failure("step-time") == ("timed-out", "the step took longer than its 2 s")
    assert run.step("step-time")["failure"]["line"] == 3
    assert run.printed("step-time") == "before\n"


def test_a_kernel_that_is_deaf_to_interrupts_is_stopped_all_the_same(run: Run) -> None:
    assert run.failure("deaf-to-interrupts")[0] == "timed-out"
    assert run.step("deaf-to-interrupts")["seconds"] < 20


def test_a_failing_shell_command_is_an_error_unless_it_is_allowed(run: Run) -> None:
    kind, message = run.failure("failing-command")
    assert kind == "raised"
    assert "exit status 3" in message
    assert run.step("failing-command")["failure"]["line"] == 1
    assert "not reached" not in run.printed("failing-command")
    assert run.printed("failing-command-allowed") == "reached\n"


def test_an_unknown_magic_is_an_error(run: Run) -> None:
    assert "nosuchmagic" in run.failure("unknown-magic")[1]


def test_leaving_early_with_cells_left_is_an_error_and_stale_outputs_go(run: Run) -> None:
    assert run.failure("leaves-early")[1] == "SystemExit: 0"
    assert "stale" not in run.printed("leaves-early")
    assert run.step("leaves-early")["cells-run"] == 0


def test_leaving_calmly_at_the_very_end_is_not_an_error(run: Run) -> None:
    assert run.step("leaves-at-the-end")["status"] == "ok"
    assert run.failure("leaves-in-anger")[1] == "SystemExit: 2"


def test_a_killed_kernel_is_named_and_tried_again_as_asked(run: Run) -> None:
    kind, message = run.failure("killed")
    assert kind == "kernel-died"
    assert "SIGKILL" in message or "out of memory" in message
    assert run.step("killed")["attempts"] == 2


def test_only_failures_that_are_named_are_tried_again(run: Run) -> None:
    assert run.step("raises-once")["status"] == "ok"
    assert run.step("raises-once")["attempts"] == 2
    assert run.step("raises-without-retry")["attempts"] == 1


def test_allowed_errors_are_told_and_do_not_fail_the_step(run: Run) -> None:
    step = run.step("allowed")
    assert (step["status"], step["cells"][0]["status"]) == ("ok", "allowed-error")


@pytest.mark.parametrize("name", ["closes-stdout", "forks"])
def test_a_cell_that_closes_stdout_or_forks_does_not_hang_the_run(run: Run, name: str) -> None:
    assert run.step(name)["status"] == "ok"
    assert run.step(name)["seconds"] < 20


def test_a_question_fails_with_the_reason(run: Run) -> None:
    assert run.failure("asks")[0] == "raised"
    assert "parameter" in run.step("asks")["failure"]["hint"]


def test_a_progress_bar_is_kept_as_it_ended(run: Run) -> None:
    assert run.printed("progress") == "499 of 500\n"
    assert "  | 498 of 500" not in run.log


def test_a_secret_parameter_reaches_the_code_and_nothing_else(run: Run) -> None:
    assert run.printed("secret") == f"{len(SECRET)}\n"
    for path in (run.folder / "mlops-out").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in run.log
    injected = next(cell for cell in run.notebook("secret")["cells"] if cell["id"] == "injected-parameters")
    assert "***" in "".join(injected["source"])


def test_recorded_values_are_parameters_of_later_steps(run: Run) -> None:
    assert run.step("records")["values"] == {"lr": 0.25, "best": {"depth": 3}}
    assert run.printed("uses") == "0.25 3\n"
    kind, message = run.failure("uses-nothing")
    assert kind == "input-missing"
    assert "`lr`" in message


def test_a_matrix_runs_once_for_each_combination_and_readings_tell_them_apart(run: Run) -> None:
    found = {
        (reading["slice"], reading["value"]) for name in ("grid-1", "grid-2") for reading in run.step(name)["readings"]
    }
    assert found == {("depth=1", 10), ("depth=2", 20)}


def test_each_cell_tells_its_time_and_its_peak_of_memory(run: Run) -> None:
    [cell] = run.step("memory")["cells"]
    assert cell["peak-memory"] > 200_000_000
    assert cell["cpu-seconds"] > 0
    [small] = run.step("allowed")["cells"]
    assert small["peak-memory"] < 200_000_000


def test_a_notebook_sees_neither_tokens_nor_inputs(run: Run) -> None:
    assert run.printed("hidden-variables") == "[]\n"


def test_a_display_that_is_too_large_is_left_out_with_a_mark(run: Run) -> None:
    assert "left out here" in run.printed("too-large-display")
    assert run.step("too-large-display")["cells"][0]["output-cut"] > 3_000_000


def test_a_failed_notebook_is_marked_and_the_mark_goes_with_the_next_run(run: Run) -> None:
    cells = run.notebook("leaves-early")["cells"]
    assert "This run failed" in "".join(cells[0]["source"])
    assert cells[2]["id"] == "leave"


def test_no_kernel_outlives_the_run(run: Run) -> None:
    there = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert not [line for line in there.splitlines() if str(run.folder) in line]

"""What the log says while steps run: live, kept and shown whole, or drawn on a terminal."""

from __future__ import annotations

import io
import re
import sys
import threading
import time

import pytest

from mlops_action.ci.console import Console
from mlops_action.ci.generic import Generic
from mlops_action.ci.github import GitHub
from mlops_action.ci.interface import CiSystem
from mlops_action.ci.kept_text import KeptText
from mlops_action.ci.terminal import can_draw
from mlops_action.progress import ProgressLog
from mlops_action.records import Failure, KernelChoice, PlannedStep, StepResult
from mlops_action.redact import Redactor
from mlops_action.vocabulary import FailureKind, StepStatus

SECRET = "hunter2-hunter2"
KERNEL = KernelChoice("python3", "/k", "python", ("python3",))


class Terminal(io.StringIO):
    """Where a person is looking."""

    def isatty(self) -> bool:
        return True


def console(out: io.StringIO, system: CiSystem | None = None, **env: str) -> Console:
    return Console(out, system or Generic(), Redactor([SECRET]), {"TERM": "xterm", **env})


def step(name: str) -> PlannedStep:
    return PlannedStep(name, "mlops.yaml:1:1", notebook=f"{name}.ipynb", kernel=KERNEL)


def ended(name: str, seconds: float = 2.1, cached: str = "") -> StepResult:
    return StepResult(name, StepStatus.OK, seconds=seconds, cells_run=3, cells_total=3, cached=cached)


def test_with_one_job_the_text_is_shown_as_it_comes() -> None:
    out = io.StringIO()
    with ProgressLog(console(out), 2) as log:
        progress = log.started(step("train"))
        progress.text("epoch 1\n")
        assert "  | epoch 1\n" in out.getvalue()
        progress.finished(ended("train"))
    assert out.getvalue() == ("\n[1/2] train: train.ipynb (python3)\n  | epoch 1\n      ok in 2.1s, 3 of 3 cells\n")


def test_with_more_jobs_each_step_is_one_block_in_the_order_of_ending() -> None:
    out = io.StringIO()
    with ProgressLog(console(out), 20, jobs=2) as log:
        first, second = log.started(step("slow")), log.started(step("quick"))
        for i in range(3):
            first.text(f"slow {i}\n")
            second.text(f"quick {i}\n")
        second.finished(ended("quick", 1.0))
        first.finished(ended("slow"))
    assert out.getvalue().splitlines() == [
        "[1/20] slow: started",
        "[2/20] quick: started",
        "",
        "[2/20] quick: quick.ipynb (python3)",
        "  | quick 0",
        "  | quick 1",
        "  | quick 2",
        "[2/20] ok quick 1.0s, 3 of 3 cells",
        "",
        "[1/20] slow: slow.ipynb (python3)",
        "  | slow 0",
        "  | slow 1",
        "  | slow 2",
        "[1/20] ok slow 2.1s, 3 of 3 cells",
    ]


def test_a_step_that_prints_nothing_is_one_line_at_its_end() -> None:
    out = io.StringIO()
    with ProgressLog(console(out), 1, jobs=2) as log:
        log.started(step("train")).finished(ended("train"))
    assert out.getvalue().splitlines() == ["[1/1] train: started", "[1/1] ok train 2.1s, 3 of 3 cells"]


def test_a_failure_names_its_place_its_error_and_the_remedy() -> None:
    out = io.StringIO()
    failure = Failure(FailureKind.RAISED, "ValueError: no", "say yes", 4, "fit", 2, "model.fit()", "Traceback\nno")
    with ProgressLog(console(out), 1, jobs=2) as log:
        log.started(step("train")).finished(StepResult("train", StepStatus.FAILED, seconds=1, failure=failure))
    assert out.getvalue().splitlines()[1:] == [
        "[1/1] failed train 1.0s in cell 4 (id fit), line 2: ValueError: no",
        "  | model.fit()",
        "  | Traceback",
        "  | no",
        "      hint: say yes",
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_why_a_step_was_taken_from_the_cache_is_said(jobs: int) -> None:
    out = io.StringIO()
    with ProgressLog(console(out), 1, jobs=jobs) as log:
        log.started(step("train")).finished(ended("train", cached="hit: nothing changed since 2026-01-01"))
    assert out.getvalue().endswith("      cache: hit: nothing changed since 2026-01-01\n")


def test_blocks_of_steps_that_end_at_once_are_never_interleaved() -> None:
    out = io.StringIO()
    names = [f"step{i}" for i in range(8)]
    start = threading.Barrier(len(names))
    with ProgressLog(console(out, GitHub()), len(names), jobs=len(names)) as log:

        def work(name: str) -> None:
            progress = log.started(step(name))
            start.wait()
            for i in range(200):
                progress.text(f"{name} says {i}\n")
            progress.finished(ended(name))

        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    blocks = re.split(r"^::group::", out.getvalue(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(names)
    for block in blocks:
        owner = re.match(r"\[\d/8\] (step\d):", block)
        assert owner is not None
        said = re.findall(r"^  \| (step\d) says (\d+)$", block, flags=re.MULTILINE)
        assert said == [(owner[1], str(i)) for i in range(200)]
        fence, *inside, resumed, closed, _ = block.splitlines()[1:]
        assert fence.startswith("::stop-commands::")
        assert (resumed, closed) == (f"::{fence.removeprefix('::stop-commands::')}::", "::endgroup::")
        assert len(inside) == 200


def test_much_text_is_spilled_and_absurdly_much_is_counted() -> None:
    kept = KeptText(Redactor([SECRET]), most=1000)
    for i in range(500):
        kept.feed(f"line {i} {SECRET}\n")
    *shown, last = kept.lines()
    assert shown[0] == "  | line 0 ***"
    assert sum(len(line) + 1 for line in shown) <= 1000
    assert last == f"  | … {500 - len(shown)} more lines are in the executed notebook"


def test_no_secret_reaches_the_file_that_text_is_spilled_to() -> None:
    kept = KeptText(Redactor([SECRET]))
    kept.feed(f"{SECRET} and the rest of the line\n")
    kept._file.seek(0)
    assert kept._file.read() == b"  | *** and the rest of the line\n"


def wait_for(text: str, out: io.StringIO) -> str:
    deadline = time.monotonic() + 10
    while text not in out.getvalue():
        assert time.monotonic() < deadline, out.getvalue()
        time.sleep(0.005)
    return out.getvalue()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_silent_step_is_named_from_time_to_time(jobs: int) -> None:
    out = io.StringIO()
    with ProgressLog(console(out), 2, jobs=jobs, beat=0.02) as log:
        progress = log.started(step("train"))
        progress.cell(3, 9, "fit")
        wait_for("      still running: train (cell 3 of 9, 0.", out)
        progress.finished(ended("train"))
    after = out.getvalue()
    time.sleep(0.1)
    assert out.getvalue() == after


def test_the_heartbeat_leaves_the_fence_on_github_as_it_is() -> None:
    out = io.StringIO()
    with ProgressLog(console(out, GitHub()), 1, beat=0.02) as log:
        progress = log.started(step("train"))
        progress.text("half a line")
        wait_for("still running", out)
        progress.text(", and its end\n")
        progress.finished(ended("train"))
    lines = out.getvalue().splitlines()
    token = lines[1].removeprefix("::stop-commands::")
    assert lines.count(f"::{token}::") == 1
    assert lines.index("  | half a line, and its end") < lines.index(f"::{token}::")
    assert not [line for line in lines if "still running" in line and line.lstrip().startswith(("::", "##["))]


def test_nothing_is_said_from_time_to_time_while_notebooks_talk() -> None:
    out = io.StringIO()
    with ProgressLog(console(out), 1, beat=5) as log:
        progress = log.started(step("train"))
        progress.text("busy\n")
        progress.finished(ended("train"))
    assert "still running" not in out.getvalue()


@pytest.mark.parametrize(
    ("env", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_colours_on_a_terminal_follow_the_usual_variables(env: dict[str, str], colored: bool) -> None:
    assert console(Terminal(), **env).colored is colored


def test_forced_colours_do_not_make_a_log_a_terminal() -> None:
    forced = console(io.StringIO(), FORCE_COLOR="1")
    assert (forced.colored, forced.watched) == (True, False)


@pytest.mark.parametrize("name", ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD"])
def test_nothing_is_drawn_in_ci_even_on_a_terminal(name: str) -> None:
    assert not can_draw(console(Terminal(), **{name: "true"}))


def test_without_rich_a_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr("mlops_action.ci.terminal.find_spec", lambda name: None)
    out = Terminal()
    with ProgressLog(console(out, NO_COLOR="1"), 1, jobs=2) as log:
        log.started(step("train")).finished(ended("train"))
    assert out.getvalue().splitlines() == ["[1/1] train: started", "[1/1] ok train 2.1s, 3 of 3 cells"]


def test_on_a_terminal_rich_draws_the_running_cells_below_the_lines() -> None:
    pytest.importorskip("rich")
    out = Terminal()
    with ProgressLog(console(out, COLUMNS="100"), 2, jobs=2) as log:
        progress = log.started(step("train"))
        progress.cell(3, 9, f"[bold]fit('{SECRET}')[/bold]\x1b[31m")
        wait_for("cell 3 of 9 ([bold]fit('***')[/bold])", out)
        progress.text("\n\nloss [0.1]\n")
        progress.finished(ended("train"))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "  | \n  | \n  | loss [0.1]\n" in plain
    assert "[1/2] ok train 2.1s, 3 of 3 cells\n" in plain
    assert "train: started" not in plain

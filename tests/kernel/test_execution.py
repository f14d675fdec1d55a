"""The contract of kernel backends, with real kernels."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path

import pytest
from kernel.bench import MAKERS, Bench, open_files, scratch_files

from mlops_action.kernels import BACKENDS
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.vocabulary import FailureKind

pytestmark = pytest.mark.kernel


MARKS = {"container": [pytest.mark.container]}
"""Of backends that need more than kernels."""


ELSEWHERE = {"gateway"}
"""Places with variables, folders and processes of their own; their laws are in files of their own."""


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in sorted(set(BACKENDS) - ELSEWHERE)])
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "project").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert request.param in MAKERS, "a new backend must pass this contract: add how it is made to bench.MAKERS"
    return Bench(MAKERS[request.param](tmp_path / "project"), tmp_path / "project")


def test_cells_run_in_order_and_share_their_state(bench: Bench) -> None:
    story = bench.run("x = 20", "x += 1", "print(x * 2)")
    assert (story.completed, story.failure, story.text) == (3, None, "42\n")
    assert [cell.execution_count for cell in story.notebook.cells] == [1, 2, 3]


def test_the_kernel_runs_in_the_project_folder(bench: Bench) -> None:
    story = bench.run("import os\nprint(os.getcwd())\nopen('made.txt', 'w').write('x')")
    assert story.text.startswith(f"{bench.folder}\n")
    assert (bench.folder / "made.txt").read_text() == "x"


def test_an_error_ends_the_run_at_its_cell_and_line(bench: Bench) -> None:
    story = bench.run("x = 1", "y = 2\nraise ValueError('no')", "print('never')")
    assert story.failure is not None
    assert (story.failure.kind, story.failure.message) == (FailureKind.RAISED, "ValueError: no")
    assert (story.failure.cell, story.failure.cell_id, story.failure.line) == (1, "c1", 2)
    assert story.completed == 1
    assert story.outputs(1) == ["error:ValueError"]
    assert "never" not in story.text


def test_streams_and_displays_keep_their_order(bench: Bench) -> None:
    story = bench.run(
        "import sys\n"
        "from IPython.display import display\n"
        "print('a')\nprint('b')\n"
        "print('c', file=sys.stderr)\n"
        "display('d')\n"
        "print('e')\n"
        "'f'"
    )
    assert story.outputs() == ["stdout:a\nb\n", "stderr:c\n", "display_data:'d'", "stdout:e\n", "execute_result:'f'"]
    assert story.text == "a\nb\nc\n'd'\ne\n'f'\n"


def test_text_arrives_while_the_cell_still_runs(bench: Bench) -> None:
    heard: list[float] = []
    story = bench.run("import time\nprint('early')\ntime.sleep(1)", on_text=lambda _: heard.append(time.monotonic()))
    assert story.failure is None
    assert time.monotonic() - heard[0] > 0.7  # IPython passes text on after up to 0.2 s


def test_a_cell_that_takes_too_long_is_ended_and_its_output_kept(bench: Bench) -> None:
    story = bench.run("x = 1", "import time\nprint('begun')\ntime.sleep(600)", seconds=5)
    assert story.failure is not None
    assert (story.failure.kind, story.failure.cell) == (FailureKind.TIMED_OUT, 1)
    assert "stdout:begun\n" in story.outputs(1)
    assert bench.survivors() == []


def test_a_cell_that_ignores_every_signal_is_killed(bench: Bench) -> None:
    begun = time.monotonic()
    story = bench.run(
        "import signal, time\n"
        "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "while True: time.sleep(0.1)",
        seconds=2,
    )
    assert story.failure is not None
    assert story.failure.kind is FailureKind.TIMED_OUT
    assert time.monotonic() - begun < 20
    assert bench.survivors() == []


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ran out of memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("exit()", "exit code 0"),
        ("import threading, os\nthreading.Timer(0.3, os._exit, (5,)).start()\nimport time; time.sleep(9)", "code 5"),
    ],
)
def test_a_kernel_that_dies_is_told_with_how_it_ended(bench: Bench, cell: str, said: str) -> None:
    story = bench.run("x = 1", cell, "print('never')")
    assert story.failure is not None
    assert story.failure.kind is FailureKind.KERNEL_DIED
    assert said in story.failure.message
    assert (story.failure.cell, story.completed) == (1, 1)
    assert "never" not in story.text


def test_an_interrupt_ends_the_run_and_keeps_what_was_reached(bench: Bench) -> None:
    stop = Interrupt()

    def hear(text: str) -> None:
        if "begun" in text:
            threading.Timer(0.5, stop.set, ("asked to", 15)).start()

    story = bench.run("x = 1", "import time\nprint('begun')\ntime.sleep(600)", stop=stop, on_text=hear)
    assert story.failure is not None
    assert story.failure.kind is FailureKind.INTERRUPTED
    assert "stdout:begun\n" in story.outputs(1)
    assert bench.survivors() == []


def test_nothing_is_left_behind_by_a_kernel_that_starts_processes(bench: Bench) -> None:
    story = bench.run(
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "away = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "stubborn = subprocess.Popen(['sh', '-c', 'trap \"\" TERM INT HUP; while :; do sleep 1; done'])\n"
        "print(child.pid)"
    )
    assert story.failure is None
    assert bench.survivors() == []
    assert scratch_files() == []


def test_what_a_notebook_left_for_its_end_is_done_before_its_step_ends(bench: Bench) -> None:
    story = bench.run(
        "import atexit, time\n"
        "unclosed = open('unclosed.json', 'w'); _ = unclosed.write('{}')\n"
        "atexit.register(lambda: (time.sleep(2), open('late.txt', 'w').write('x')))"
    )
    assert story.failure is None
    assert (bench.folder / "unclosed.json").read_text() == "{}"
    assert (bench.folder / "late.txt").read_text() == "x"


def test_neither_files_nor_sockets_are_left_open(bench: Bench) -> None:
    for _ in range(2):  # a warm place has its spare kernel from the second on
        bench.run("print(1)")
    before = open_files()
    for _ in range(3):
        bench.run("print(1)")
    assert open_files() <= before
    assert len(scratch_files()) == len(bench.spares())


def test_a_kernel_sees_the_allowed_variables_and_no_other(bench: Bench) -> None:
    refused = {
        "GITHUB_TOKEN": "t",
        "GITHUB_OUTPUT": "o",
        "GITHUB_ENV": "e",
        "GITHUB_PATH": "p",
        "GITHUB_STATE": "s",
        "GITHUB_STEP_SUMMARY": "y",
        "ACTIONS_RUNTIME_TOKEN": "t",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "u",
        "INPUT_GATES": "none",
        "AWS_SECRET_ACCESS_KEY": "k",
        "CI_JOB_TOKEN": "t",
        "SOME_VARIABLE": "v",
    }
    env = {"PATH": os.environ["PATH"], "HOME": str(bench.folder), "LANG": "C.UTF-8", **refused}
    story = bench.run("import os\nprint(sorted(os.environ))", env=env)
    seen = story.text
    assert "'PATH'" in seen
    assert [name for name in refused if repr(name) in seen] == []


def test_what_the_process_prints_past_jupyter_never_reaches_our_own_output(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    story = bench.run("import os\nos.write(1, b'::error::raw')\nos.write(2, b'::error::raw')\nos.system('echo raw')")
    assert story.failure is None
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_a_kernel_that_asks_for_input_is_refused_at_once(bench: Bench) -> None:
    begun = time.monotonic()
    story = bench.run("input('name? ')")
    assert story.failure is not None
    assert "StdinNotImplementedError" in story.failure.message
    assert time.monotonic() - begun < 20


def test_many_pieces_of_output_are_put_together_in_bounded_time(bench: Bench) -> None:
    begun = time.monotonic()
    story = bench.run("for i in range(20000):\n    print(i, flush=True)")
    assert story.failure is None
    assert len(story.outputs()) == 1
    assert story.outputs()[0].count("\n") == 20000
    assert time.monotonic() - begun < 60

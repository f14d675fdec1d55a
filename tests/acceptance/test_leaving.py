"""A process ends at once, but not before everything that it owes is done."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlops_action.leaving import exit_with

PROGRAM = """
import atexit, sys, threading, time
from mlops_action.leaving import exit_with
class Taken:
    def __del__(self): print("taken apart")
kept = Taken()
def work():
    atexit.register(print, "handler")
    def late():
        time.sleep(0.3)
        print("thread")
    threading.Thread(target=late).start()
    print("x" * 1_000_000)
    {end}
exit_with(work)
"""


def ended(end: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM.format(end=end)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("end", "code"), [("return 3", 3), ("return None", 0), ("sys.exit(4)", 4), ("sys.exit()", 0), ("return True", 1)]
)
def test_threads_handlers_and_output_are_not_lost(end: str, code: int) -> None:
    done = ended(end)
    assert done.returncode == code, done.stderr
    assert done.stdout.endswith("x\nthread\nhandler\n")
    assert len(done.stdout) > 1_000_000
    assert not done.stderr


def test_an_error_is_told_as_always() -> None:
    done = ended("raise ValueError('told')")
    assert done.returncode == 1
    assert "ValueError: told" in done.stderr
    assert "thread\nhandler\n" in done.stdout
    assert ended("sys.exit('told')").stderr == "told\n"


def test_output_that_nobody_reads_is_an_error_as_always() -> None:
    program = "from mlops_action.leaving import exit_with\nexit_with(lambda: print('x' * 100_000))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 120 or process.returncode == 1
        assert process.stderr is not None
        assert b"BrokenPipe" in process.stderr.read()


def test_within_a_process_it_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atexit.register", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        exit_with(lambda: 5)
    assert end.value.code == 5

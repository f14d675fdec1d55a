"""The watcher over a kernel: it kills when nobody tells it that the kernel has ended, and only then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_action.kernels.watch import Watch

pytestmark = pytest.mark.kernel

DIES = """
import os, subprocess, sys
from pathlib import Path
from mlops_action.kernels.watch import Watch
watch = Watch("WATCH_TEST", sys.argv[1], Path(sys.argv[1]))
victim = subprocess.Popen(["sleep", "600"], start_new_session=True)
apart = subprocess.Popen(["sleep", "600"], start_new_session=True, env={**os.environ, "WATCH_TEST": sys.argv[1]})
watch.over(victim.pid)
print(victim.pid, apart.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_watcher_that_is_told_of_the_end_goes_at_once_and_kills_nothing(tmp_path: Path) -> None:
    victim = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        watch = Watch("WATCH_TEST", tmp_path.name, tmp_path / "folder")
        (tmp_path / "folder").mkdir()
        watch.over(victim.pid)
        begun = time.monotonic()
        watch.close()
        assert time.monotonic() - begun < 0.5
        time.sleep(0.3)
        assert lives(victim.pid)
        assert (tmp_path / "folder").is_dir()
    finally:
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()


def test_when_the_tool_is_killed_its_kernel_goes_with_all_that_bears_its_mark(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", DIES, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in done.stdout.split()]
    deadline = time.monotonic() + 10
    while (folder.exists() or any(map(lives, pids))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [lives(pid) for pid in pids] == [False, False]
    assert not folder.exists()

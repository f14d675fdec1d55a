"""Whatever ends the tool, each of its files is whole or absent, and no kernel is left."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat
import pytest
from acceptance.documents import check_documents
from acceptance.scratch import clean_env, tool
from kernel.bench import marked_processes

pytestmark = pytest.mark.kernel

CONFIG = """\
steps:
  first:
    code: |
      import json
      print("x" * 200000)
      json.dump({"accuracy": 0.95}, open("metrics.json", "w"))
    metrics: metrics.json
  second:
    needs: first
    code: print("y" * 200000)
gates:
  floor: {metric: accuracy, min: 0.9}
"""
SLEEPER = """\
steps:
  done:
    code: print("finished")
  sleeps:
    needs: done
    code: |
      import time
      print("begun", flush=True)
      time.sleep(600)
      print("never printed")
  after:
    needs: sleeps
    code: print("never started")
gates:
  floor: {metric: accuracy, min: 0.9}
"""
RANDOM_MOMENTS = 50
AT_ONCE = 4
FILES = ("notebooks/first.ipynb", "run.json", "verdicts.json", "manifest.json", "report.md", "junit.xml")
GRACE_SECONDS = 10
SLOWER = 1.8
"""How much longer a run takes beside the others, near enough: the moments are spread over all of it."""


@dataclass
class Running:
    """The tool at work in a project of its own; ``mark`` is in the environment of its kernels."""

    folder: Path
    mark: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def results(self) -> Path:
        return self.folder / "mlops-out"

    def wait_for(self, sign: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not sign() and self.process.poll() is None:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.0005)

    def wait_for_text(self, text: str) -> None:
        self.wait_for(lambda: text in self.log.read_text())
        assert text in self.log.read_text()


def start(folder: Path, config: str, *arguments: str) -> Running:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mlops.yaml").write_text(config)
    home = folder.parent / f"home-of-{folder.name}"
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops_action", "run", *arguments],
            cwd=folder,
            env=clean_env(home),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Running(folder, str(home), log, process)


def check_whole(results: Path) -> None:
    """Everything there is whole; a complete file that only lacked its final name is swept by the next run."""
    if not results.exists():
        return
    for path in results.rglob(".*.tmp"):
        content = path.read_bytes()
        if ".ipynb." in path.name:
            nbformat.validate(nbformat.reads(content.decode(), as_version=4))
        elif ".json." in path.name:
            json.loads(content)
        path.unlink()
    check_documents(results)


@pytest.fixture(scope="module")
def usual_seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    running = start(tmp_path_factory.mktemp("usual") / "project", CONFIG)
    begun = time.monotonic()
    assert running.process.wait(120) == 0, running.log.read_text()
    check_whole(running.results)
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def killed(usual_seconds: float, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    """Runs that were killed without warning: at random moments, and just when each file had appeared."""
    folder = tmp_path_factory.mktemp("killed")
    chance = random.Random(20261121)
    moments = [usual_seconds * SLOWER * (i + chance.random()) / RANDOM_MOMENTS for i in range(RANDOM_MOMENTS)]
    chance.shuffle(moments)  # so that those that run at once are at different stages
    victims: list[Callable[[], Running]] = [
        *(partial(_killed_at, folder / f"moment-{i}", moment) for i, moment in enumerate(moments)),
        *(partial(_killed_after, folder / f"after-{Path(name).stem}", name) for name in FILES),
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda kill: kill(), victims))
    yield runs
    shutil.rmtree(folder, ignore_errors=True)


def _killed_at(folder: Path, moment: float) -> Running:
    running = start(folder, CONFIG)
    due = time.monotonic() + moment
    running.wait_for(lambda: time.monotonic() > due)
    return _kill(running)


def _killed_after(folder: Path, name: str) -> Running:
    running = start(folder, CONFIG)
    running.wait_for((running.results / name).exists)
    return _kill(running)


def _kill(running: Running) -> Running:
    running.process.kill()
    running.process.wait(10)
    return running


def test_every_file_is_whole_or_absent_after_a_kill_at_any_moment(killed: list[Running]) -> None:
    assert len(killed) == RANDOM_MOMENTS + len(FILES)
    for running in killed:
        check_whole(running.results)


def test_the_kills_came_at_different_stages_of_the_run(killed: list[Running]) -> None:
    stages = {tuple(sorted(path.name for path in running.results.rglob("*") if path.is_file())) for running in killed}
    assert len(stages) >= 4


def test_no_kernel_outlives_a_tool_that_was_killed(killed: list[Running]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    left = [process for running in killed for process in marked_processes(running.mark)]
    while left and time.monotonic() < deadline:
        time.sleep(0.2)
        left = [process for running in killed for process in marked_processes(running.mark)]
    assert left == []


def test_a_run_after_a_kill_is_like_any_other(killed: list[Running]) -> None:
    folder = killed[RANDOM_MOMENTS // 2].folder
    done = tool(folder, ["run"], clean_env(folder.parent / "home"))
    assert done.code == 0, done.text
    assert list((folder / "mlops-out").rglob(".*.tmp")) == []
    assert check_documents(folder / "mlops-out")["verdicts.json"]["outcome"] == "pass"


@pytest.mark.parametrize(
    ("number", "group", "code"),
    [
        (signal.SIGTERM, False, 143),
        (signal.SIGINT, False, 130),
        (signal.SIGINT, True, 130),
        (signal.SIGTERM, True, 143),
    ],
    ids=["SIGTERM", "SIGINT", "SIGINT of a terminal", "SIGTERM to all"],
)
def test_a_signal_ends_the_run_soon_and_keeps_what_was_reached(
    tmp_path: Path, number: int, group: bool, code: int
) -> None:
    running = start(tmp_path / "project", SLEEPER)
    running.wait_for_text("  | begun")
    begun = time.monotonic()
    (os.killpg if group else os.kill)(running.process.pid, number)
    assert running.process.wait(30) == code, running.log.read_text()
    assert time.monotonic() - begun < GRACE_SECONDS
    documents = check_documents(running.results)
    steps = {step["name"]: step for step in documents["run.json"]["steps"]}
    assert [steps[name]["status"] for name in ("done", "sleeps", "after")] == ["ok", "interrupted", "skipped"]
    assert "interrupted" in (running.results / "report.md").read_text()
    assert "begun" in (running.results / "notebooks" / "sleeps.ipynb").read_text()
    assert documents["verdicts.json"]["outcome"] == "inconclusive"
    assert list(marked_processes(running.mark)) == []


def test_a_signal_before_the_first_step_ends_the_run_with_its_code(tmp_path: Path) -> None:
    slow = SLEEPER.replace("code: print", "kernel: slow\n    code: print", 1)
    spec = tmp_path / "project" / "jupyter" / "kernels" / "slow" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["sleep", "600"], "display_name": "Slow", "language": "python"}))
    home = tmp_path / "home-of-project" / ".local" / "share"
    home.mkdir(parents=True)
    shutil.move(tmp_path / "project" / "jupyter", home / "jupyter")
    running = start(tmp_path / "project", slow)
    running.wait_for_text("[1/3] done")
    running.process.terminate()
    assert running.process.wait(30) == 143, running.log.read_text()
    check_documents(running.results)
    assert list(marked_processes(running.mark)) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A project whose output folder is a disk of 128 KiB."""
    folder = tmp_path / "project" / "mlops-out"
    folder.mkdir(parents=True)
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_a_full_disk_is_told_with_the_file_that_did_not_fit(small_disk: Path) -> None:
    running = start(small_disk.parent, CONFIG)
    assert running.process.wait(60) == 4, running.log.read_text()
    said = running.log.read_text()
    assert "notebooks/first.ipynb: No space left on device [write-failed]" in said
    assert "free disk space, or choose another folder with `--output-dir`" in said
    assert "bug of mlops-action" not in said
    check_whole(small_disk)
    assert list(marked_processes(running.mark)) == []

"""Several real kernels at once: side by side, stopped together, and in parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kernel

MEET = """
import pathlib, time
pathlib.Path("{own}.here").touch()
end = time.monotonic() + 60
while not pathlib.Path("{other}.here").exists():
    assert time.monotonic() < end, "{other} never came"
    time.sleep(0.02)
print("{own} met {other}")
"""
WAIT = "import pathlib, time; pathlib.Path('{own}.here').touch(); time.sleep(120)"


def project(root: Path, steps: dict[str, Any], **more: Any) -> Path:
    (root / "mlops.yaml").write_text(json.dumps({"steps": steps, **({"gates": "none"} | more)}))
    return root


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mlops_action", *arguments]


def environment(root: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(root), "LANG": "C.UTF-8"}


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=root, env=environment(root), capture_output=True, text=True, timeout=180, check=False
    )


def steps_of(root: Path, folder: str = "mlops-out") -> dict[str, Any]:
    return {step["name"]: step for step in json.loads((root / folder / "run.json").read_bytes())["steps"]}


def test_two_steps_that_wait_for_each_other_both_end_well(tmp_path: Path) -> None:
    steps = {"a": {"code": MEET.format(own="a", other="b")}, "b": {"code": MEET.format(own="b", other="a")}}
    done = run(project(tmp_path, steps), "run", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "  | a met b" in lines
    assert "  | b met a" in lines
    assert [step["status"] for step in steps_of(tmp_path).values()] == ["ok", "ok"]


def test_one_kernel_that_dies_leaves_the_others_alone(tmp_path: Path) -> None:
    steps: dict[str, Any] = {f"s{i}": {"code": f"print({i})"} for i in range(4)}
    steps["dies"] = {"code": "import os; os.kill(os.getpid(), 9)"}
    done = run(project(tmp_path, steps), "run", "--jobs", "3")
    assert done.returncode == 3, done.stdout + done.stderr
    found = steps_of(tmp_path)
    assert {name for name, step in found.items() if step["status"] == "ok"} == {"s0", "s1", "s2", "s3"}
    assert found["dies"]["failure"]["kind"] == "kernel-died"


def test_the_time_of_the_run_ends_what_runs_and_skips_the_rest(tmp_path: Path) -> None:
    steps = {
        "a": {"code": WAIT.format(own="a")},
        "b": {"code": WAIT.format(own="b")},
        "c": {"code": "1", "needs": ["a"]},
    }
    begun = time.monotonic()
    done = run(project(tmp_path, steps, timeout="6s"), "run", "--jobs", "2")
    assert done.returncode == 3, done.stdout + done.stderr
    assert time.monotonic() - begun < 60
    found = steps_of(tmp_path)
    assert [found[name]["status"] for name in "abc"] == ["failed", "failed", "skipped"]
    assert [found[name]["failure"]["kind"] for name in "ab"] == ["timed-out", "timed-out"]
    assert "the time for all steps (6.0s) was over" in found["a"]["failure"]["message"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_all_running_steps_within_ten_seconds(tmp_path: Path, number: int, code: int) -> None:
    steps = {"a": {"code": WAIT.format(own="a")}, "b": {"code": WAIT.format(own="b")}, "c": {"code": "1"}}
    process = subprocess.Popen(
        command("run", "--jobs", "2"), cwd=project(tmp_path, steps), env=environment(tmp_path), stdout=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not all((tmp_path / f"{name}.here").exists() for name in "ab"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    asked = time.monotonic()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said.decode()
    assert time.monotonic() - asked < 10
    found = steps_of(tmp_path)
    assert [found[name]["status"] for name in "abc"] == ["interrupted", "interrupted", "skipped"]
    assert (tmp_path / "mlops-out/notebooks/a.ipynb").is_file()


def test_shards_and_their_merge_do_what_one_run_does(tmp_path: Path) -> None:
    record = 'import json; json.dump({{"{0}": 1}}, open("{0}.json", "w"))'
    steps: dict[str, Any] = {
        name: {"code": record.format(name), "metrics": [f"{name}.json"]} for name in ("x", "y", "z")
    }
    steps["z"]["needs"] = ["x"]
    gates = {name: {"metric": name, "min": 1} for name in steps}
    project(tmp_path, steps, gates=gates)
    for number in (1, 2, 3):
        done = run(tmp_path, "run", "--shard", f"{number}/3", "--output-dir", f"part-{number}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert not (tmp_path / f"part-{number}/verdicts.json").exists()
    assert "this part is empty" in done.stdout
    missing = run(tmp_path, "merge", "part-1", "part-3")
    assert missing.returncode == 2
    assert "part 2 of 3 is missing" in missing.stderr
    whole = run(tmp_path, "merge", "part-1", "part-2", "part-3")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert list(steps_of(tmp_path)) == ["x", "y", "z"]
    assert (tmp_path / "mlops-out/manifest.json").is_file()
    assert sorted(path.stem for path in (tmp_path / "mlops-out/notebooks").iterdir()) == ["x", "y", "z"]

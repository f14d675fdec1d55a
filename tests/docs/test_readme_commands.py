"""The README's commands are run, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("mlops-action ")]
BIN = Path(sys.executable).parent

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_"))}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{kept['PATH']}"}


def test_the_two_set_up_commands_of_the_readme_are_make_demo_and_make_test() -> None:
    assert [block.strip() for block in BLOCKS if block.startswith("make")] == ["make demo", "make test"]


def test_make_demo_accepts_one_merge_and_blocks_the_other(tmp_path: Path) -> None:
    script = ROOT / "examples" / "breast-cancer" / "demo.sh"
    done = subprocess.run(
        [script, tmp_path / "work" / "project"], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Verdict: PASS" in done.stdout
    assert "Verdict: FAIL" in done.stdout
    assert (tmp_path / "work" / "accepted" / "manifest.json").is_file()
    assert (tmp_path / "work" / "blocked" / "report.md").is_file()


def test_the_commands_of_the_readme_run_in_the_folder_of_the_example(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "breast-cancer", project)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["commit", "-qm", "one"],
        ["switch", "-qc", "topic"],
    ):
        subprocess.run([*git, *arguments], cwd=project, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "two"], cwd=project, check=True)
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        done = subprocess.run(
            command.split(), cwd=project, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)

"""Who wrote a waiver, as git tells, and waivers from the file to the exit code."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import ExitCode
from mlops_action.pipeline import Pipeline

TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
POLICY = "baseline: ''\nwaivers: waivers.yaml\ngates:\n  floor: {metric: auc, min: 0.9}\n"
WAIVER = """waivers:
  - gate: floor
    down-to: 0.83
    reason: The new test set is harder.
    approver: Kari
    expires: 2026-12-31
"""


def git(folder: Path, *arguments: str, by: str = "kari") -> str:
    who = {"NAME": by.title(), "EMAIL": f"{by}@example.org"}
    env = {f"GIT_{role}_{part}": text for role in ("AUTHOR", "COMMITTER") for part, text in who.items()}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **env},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, by: str = "kari", **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    git(folder, "add", "-A", by=by)
    git(folder, "commit", "-q", "-m", "change", by=by)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, mlops_yaml="gates: gates.yaml\n", gates_yaml=POLICY, waivers_yaml="waivers: []\n")
    git(folder, "checkout", "-q", "-b", "feature")
    return folder


def judge(folder: Path, auc: str = "0.85", **env: str) -> tuple[ExitCode, dict[str, Any], str]:
    (folder / "m.json").write_text(f'{{"auc": {auc}}}')
    said = StringIO()
    context = Context({"PATH": "/usr/bin:/bin", "HOME": str(folder), **env}, folder, said, lambda: TODAY)
    code = Pipeline(Settings(Options(metrics=("m.json",))), context).gate("")
    return code, json.loads((folder / "mlops-out" / "verdicts.json").read_text()), said.getvalue()


def the_use(folder: Path) -> dict[str, Any]:
    _, verdicts, _ = judge(folder)
    [use] = verdicts["waivers"]
    found: dict[str, Any] = use
    return found


def test_a_waiver_lets_its_gate_fail_down_to_its_bound(project: Path) -> None:
    commit(project, waivers_yaml=WAIVER)
    code, verdicts, log = judge(project)
    assert (code, verdicts["outcome"], verdicts["reason"]) == (ExitCode.PASSED, "warn", "1 gate: 1 waived.")
    assert verdicts["verdicts"][0]["waivers"][0]["waiver"]["approver"] == "Kari"
    assert "waived by Kari until 2026-12-31, down to 0.83: The new test set is harder." in log
    assert judge(project, "0.829999")[0] is ExitCode.GATE_FAILED


def test_a_waiver_of_another_author_is_not_flagged_as_the_changes_own(project: Path) -> None:
    commit(project, by="ola", model_py="pass\n")
    commit(project, by="kari", waivers_yaml=WAIVER)
    assert the_use(project)["flags"] == ["it came with this change"]
    assert the_use(project)["author"] == "Kari"


def test_a_waiver_that_the_changes_own_author_wrote_is_flagged(project: Path) -> None:
    commit(project, by="ola", model_py="pass\n", waivers_yaml=WAIVER)
    assert the_use(project)["flags"] == ["it came with this change", "the change's own author wrote it: Ola"]
    assert "the change's own author wrote it: Ola" in judge(project)[2]
    assert "the change's own author wrote it: Ola" in (project / "mlops-out" / "report.md").read_text()


def test_a_waiver_that_was_merged_earlier_is_flagged_when_its_author_uses_it(project: Path) -> None:
    git(project, "checkout", "-q", "main")
    commit(project, by="ola", waivers_yaml=WAIVER)
    git(project, "checkout", "-q", "-b", "later")
    commit(project, by="ola", model_py="pass\n")
    assert the_use(project)["flags"] == ["the change's own author wrote it: Ola"]


def test_one_line_of_a_waiver_by_the_changes_author_is_enough(project: Path) -> None:
    git(project, "checkout", "-q", "main")
    commit(project, by="kari", waivers_yaml=WAIVER)
    git(project, "checkout", "-q", "-b", "later")
    commit(project, by="ola", model_py="pass\n", waivers_yaml=WAIVER.replace("0.83", "0.5"))
    assert "the change's own author wrote it: Ola" in the_use(project)["flags"]


def test_a_waiver_that_the_changes_author_approved_is_flagged(project: Path) -> None:
    commit(project, by="ola", model_py="pass\n")
    commit(project, by="kari", waivers_yaml=WAIVER.replace("Kari", "Ola <ola@example.org>"))
    assert "the change's own author approved it" in the_use(project)["flags"]


def test_a_waiver_that_is_not_committed_is_flagged(project: Path) -> None:
    (project / "waivers.yaml").write_text(WAIVER)
    assert the_use(project)["flags"] == ["it is not committed"]


def test_nobody_can_tell_the_author_in_a_shallow_clone(project: Path, tmp_path: Path) -> None:
    commit(project, by="ola", waivers_yaml=WAIVER)
    git(project, "clone", "-q", "--depth", "1", f"file://{project}", str(tmp_path / "shallow"))
    assert the_use(tmp_path / "shallow")["flags"] == ["nobody can tell who wrote it: the clone is shallow"]


def test_nobody_can_tell_the_author_outside_of_git(tmp_path: Path) -> None:
    (tmp_path / "mlops.yaml").write_text("gates: gates.yaml\n")
    (tmp_path / "gates.yaml").write_text(POLICY)
    (tmp_path / "waivers.yaml").write_text(WAIVER)
    [flag] = the_use(tmp_path)["flags"]
    assert flag.startswith("nobody can tell who wrote it: ")

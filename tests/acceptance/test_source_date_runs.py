"""Runs with `SOURCE_DATE_EPOCH`: documents tell no later time, and nothing else goes by it."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from acceptance.documents import check_documents
from acceptance.scratch import clean_env, commit_all, tool

CONFIG = """\
steps:
  train:
    code: |
      import json
      json.dump({"accuracy": 0.95}, open("metrics.json", "w"))
    metrics: metrics.json
    deterministic: true
gates:
  floor: {metric: accuracy, min: 0.9}
"""
EPOCH, DATE = "1700000000", "2023-11-14T22:13:20.000Z"
TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(?=Z|\+00:00)")
FORMS = ("cyclonedx", "slsa", "rocrate", "openlineage", "intoto", "test-result")


def ran(folder: Path, *arguments: str, epoch: str | None = EPOCH, exit_code: int = 0) -> str:
    extra = {} if epoch is None else {"SOURCE_DATE_EPOCH": epoch}
    done = tool(folder, arguments, clean_env(folder.parent / "home", extra))
    assert done.code == exit_code, done.text
    return done.text


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same project twice, run at two times; the exports are made without the variable."""
    top = tmp_path_factory.mktemp("source-date")
    first, second = top / "first", top / "second"
    first.mkdir()
    (first / "mlops.yaml").write_text(CONFIG)
    (first / ".gitignore").write_text("mlops-out/\nexports/\nmetrics.json\n")
    commit_all(first)
    shutil.copytree(first, second)
    for folder in (first, second):
        ran(folder, "run")
        check_documents(folder / "mlops-out")
        for form in FORMS:
            ran(folder, "manifest", "export", form, "--to", f"exports/{form}", epoch=None)
    return [first, second]


def document(folder: Path, name: str) -> Any:
    return json.loads((folder / "mlops-out" / name).read_bytes())


def exported(folder: Path, form: str) -> bytes:
    [path] = (folder / "exports" / form).glob("ro-crate-metadata.json" if form == "rocrate" else "*.*json")
    return path.read_bytes()


@pytest.mark.kernel
def test_the_manifest_tells_that_moment_and_where_it_comes_from(runs: list[Path]) -> None:
    for folder in runs:
        seen = document(folder, "manifest.json")["observation"]
        assert (seen["started"], seen["finished"], seen["steps"][0]["started"]) == (DATE, DATE, DATE)
        assert seen["times-from"] == "SOURCE_DATE_EPOCH"


@pytest.mark.kernel
@pytest.mark.parametrize("form", ["cyclonedx", "slsa", "openlineage", "test-result"])
def test_exports_of_two_equal_runs_are_equal_byte_for_byte(runs: list[Path], form: str) -> None:
    one, two = (exported(folder, form) for folder in runs)
    assert one == two
    assert set(TIMES.findall(one)) <= {DATE[:-1].encode()}


@pytest.mark.kernel
@pytest.mark.parametrize("form", ["rocrate", "intoto"])
def test_exports_that_hold_what_was_measured_tell_the_same_times(runs: list[Path], form: str) -> None:
    for folder in runs:
        assert set(TIMES.findall(exported(folder, form))) == {DATE[:-1].encode()}


@pytest.mark.kernel
def test_a_manifest_that_is_assembled_without_the_variable_is_the_same(runs: list[Path]) -> None:
    before = (runs[0] / "mlops-out" / "manifest.json").read_bytes()
    ran(runs[0], "manifest", "capture", epoch=None)
    assert (runs[0] / "mlops-out" / "manifest.json").read_bytes() == before


@pytest.mark.kernel
def test_the_prose_does_not_take_that_moment_for_the_day_of_the_run(runs: list[Path]) -> None:
    assert "2023" not in ran(runs[0], "manifest", "explain").splitlines()[2]


@pytest.mark.kernel
def test_the_run_itself_and_a_history_keep_the_real_times(runs: list[Path]) -> None:
    run = document(runs[0], "run.json")
    age = datetime.now(UTC) - datetime.fromisoformat(run["finished"])
    assert 0 <= age.total_seconds() < 3600
    ran(runs[0], "history", "../history.jsonl")
    [line] = (runs[0].parent / "history.jsonl").read_text().splitlines()
    assert json.loads(line)["time"] == run["finished"]


def test_a_waiver_that_has_ended_stays_ended(tmp_path: Path) -> None:
    case = Path(__file__).parent / "cases" / "waiver-that-has-ended"
    folder = Path(shutil.copytree(case, tmp_path / "project"))
    said = ran(folder, "gate", "--metrics", "m.json", exit_code=1)
    assert "the waiver by Kari ended on 2026-01-31" in said


@pytest.mark.parametrize("command", ["run", "plan", "check"])
@pytest.mark.parametrize("value", ["yesterday", ""])
def test_a_value_that_is_no_number_is_refused_before_anything_runs(tmp_path: Path, command: str, value: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlops.yaml").write_text(CONFIG)
    said = ran(folder, command, epoch=value, exit_code=2)
    assert f"SOURCE_DATE_EPOCH: `SOURCE_DATE_EPOCH` is {value!r}, not a whole number of seconds since 1970" in said
    assert "export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)" in said
    assert not (folder / "metrics.json").exists()


def test_a_value_in_the_configuration_is_told_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlops.yaml").write_text(f"environment:\n  set: {{SOURCE_DATE_EPOCH: soon}}\n{CONFIG}")
    assert "mlops.yaml:2:" in ran(folder, "check", exit_code=2)

"""The stage that turns an account into files, summary and outputs, and the notebooks that it reads back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import report_sample as sample

from mlops_action.redact import Redactor
from mlops_action.report import ExecutedNotebooks, report
from mlops_action.stores.folder import FolderStore


def notebooks_with(folder: Path, executed: str) -> ExecutedNotebooks:
    run = sample.account().run
    assert run is not None
    return ExecutedNotebooks(folder, replace(run, steps=(replace(run.steps[0], executed=executed),)))


def test_every_file_of_every_format_is_there_and_the_summary_is_the_markdown_report() -> None:
    emissions = report(sample.account(), "mlops-out", "")
    names = {name for name, _ in emissions.files}
    assert {"report.md", "junit.xml", "report.html", "html/report.css", "html/train.html", "html/train/1.png"} <= names
    assert emissions.summary.encode() == dict(emissions.files)["report.md"]


def test_an_executed_notebook_is_read_from_the_output_folder(tmp_path: Path) -> None:
    (tmp_path / "train.ipynb").write_text(json.dumps({"cells": []}))
    found = notebooks_with(tmp_path, "train.ipynb")
    assert found["train"] == {"cells": []}
    assert list(found) == ["train"]
    assert len(found) == 1


@pytest.mark.parametrize("content", ["{", "[]", "null", '{"a":' * 100_000, "\x00", '"text"'])
def test_a_damaged_notebook_is_as_if_it_were_not_there(tmp_path: Path, content: str) -> None:
    (tmp_path / "train.ipynb").write_text(content)
    assert notebooks_with(tmp_path, "train.ipynb").get("train") is None


@pytest.mark.parametrize("executed", ["absent.ipynb", "../outside.ipynb", "link.ipynb", "folder", "\x00"])
def test_a_notebook_that_is_not_in_the_folder_is_as_if_it_were_not_there(tmp_path: Path, executed: str) -> None:
    (tmp_path / "outside.ipynb").write_text("{}")
    folder = tmp_path / "out"
    (folder / "folder").mkdir(parents=True)
    (folder / "link.ipynb").symlink_to(tmp_path / "outside.ipynb")
    assert notebooks_with(folder, executed).get("train") is None


def test_no_run_has_no_executed_notebooks(tmp_path: Path) -> None:
    assert len(ExecutedNotebooks(tmp_path, None)) == 0


def test_pages_of_an_earlier_run_are_removed_before_a_new_one(tmp_path: Path) -> None:
    for name in ("report.html", "html/old.html", "html/old/1.png"):
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text("old")
    (tmp_path / "out" / "mine.txt").write_text("kept")
    FolderStore(tmp_path, "out", Redactor()).begin()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_new_run_removes_what_runs_write_and_leaves_everything_else(tmp_path: Path) -> None:
    ours = ("notebooks/a.ipynb", "html/a.html", "html/a/1.png", "html/report.css")
    theirs = ("notes.txt", "notebooks/data.csv", "html/a/more/table.csv")
    for name in (*ours, *theirs):
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text("x")
    FolderStore(tmp_path, "out", Redactor()).begin()
    left = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(theirs)

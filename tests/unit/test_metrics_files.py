"""Metric files on disk: found, chosen by their ending, or refused."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from mlops_action.errors import ExitCode, MetricUnreadable
from mlops_action.metrics import READERS
from mlops_action.metrics.collect import MAX_BYTES
from mlops_action.metrics.files import metric_paths, read_metric_file
from mlops_action.records import PlannedStep
from mlops_action.step_notebook import StepFailed
from mlops_action.step_results import metric_stamps, readings_of


def refusal(path: Path, shown_as: str) -> MetricUnreadable:
    with pytest.raises(MetricUnreadable) as caught:
        read_metric_file(path, shown_as)
    return caught.value


@pytest.mark.parametrize(("name", "text"), [("m.json", '{"a": 1}'), ("m.csv", "a\n1\n"), ("M.JSON", '{"a": 1}')])
def test_the_ending_chooses_the_reader(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    [reading] = read_metric_file(tmp_path / name, f"out/{name}")
    assert (reading.name, reading.value) == ("a", Decimal(1))
    assert reading.origin.startswith(f"out/{name}")


@pytest.mark.parametrize(("name", "said"), [("m.xlsx", "ends in `.xlsx`"), ("metrics", "has no ending")])
def test_an_unknown_ending_is_refused_naming_the_known_ones(tmp_path: Path, name: str, said: str) -> None:
    problem = refusal(tmp_path / name, name)
    assert problem.message == f"{name} {said}; metric files end in " + ", ".join(f"`{each}`" for each in READERS)


def test_a_missing_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    problem = refusal(tmp_path / "m.json", "m.json")
    assert problem.message == "there is no such metric file"
    assert "let a step write it" in problem.hint
    assert problem.exit_code is ExitCode.STEP_FAILED


def test_a_folder_is_refused_as_no_file(tmp_path: Path) -> None:
    (tmp_path / "m.json").mkdir()
    assert refusal(tmp_path / "m.json", "m.json").message.endswith("it is not a file")


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.json")
    assert refusal(tmp_path / "m.json", "m.json").message.endswith("it is not a file")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_an_impossible_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "cannot read" in refusal(tmp_path / f"{name}.json", "x.json").message


def test_a_huge_file_is_refused_without_reading_all_of_it(tmp_path: Path) -> None:
    with (tmp_path / "m.json").open("wb") as handle:
        handle.truncate(MAX_BYTES * 1000)
    assert "more than" in refusal(tmp_path / "m.json", "m.json").message


# --- patterns


def test_a_pattern_stands_for_the_files_that_match_it_in_order(tmp_path: Path) -> None:
    for name in ("out/results_2.json", "out/results_1.json", "out/other.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert metric_paths("out/results_*.json", tmp_path) == ["out/results_1.json", "out/results_2.json"]
    assert metric_paths("out/none_*.json", tmp_path) == []
    assert metric_paths("out/other.json", tmp_path) is None


def test_a_file_that_is_named_as_a_pattern_looks_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "m[1].json").write_text("{}")
    (tmp_path / "m1.json").write_text("{}")
    assert metric_paths("m[1].json", tmp_path) is None


def step(*metrics: str) -> PlannedStep:
    return PlannedStep("train", "mlops.yaml:1:1", metrics=metrics)


def results(tmp_path: Path, before: dict[str, object], *metrics: str) -> list[str]:
    return [each.origin for each in readings_of(step(*metrics), tmp_path, {"cells": []}, before)]


def test_only_files_of_a_pattern_that_the_step_wrote_are_read(tmp_path: Path) -> None:
    (tmp_path / "r_old.json").write_text('{"a": 1}')
    before = metric_stamps(step("r_*.json"), tmp_path)
    (tmp_path / "r_new.json").write_text('{"a": 2}')
    assert results(tmp_path, before, "r_*.json") == ["r_new.json#/a"]


def test_a_pattern_whose_files_are_all_old_fails_the_step_as_one_file_does(tmp_path: Path) -> None:
    (tmp_path / "r_old.json").write_text('{"a": 1}')
    for name in ("r_*.json", "r_old.json"):
        with pytest.raises(StepFailed, match="was there before the step"):
            results(tmp_path, metric_stamps(step(name), tmp_path), name)


def test_a_pattern_that_matches_nothing_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="wrote no metric file that matches `r_"):
        results(tmp_path, metric_stamps(step("r_*.json"), tmp_path), "r_*.json")

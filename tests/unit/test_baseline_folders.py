"""Baselines from what a run leaves: its output folder, its `run.json`, its `manifest.json`."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlops_action.codec import encode
from mlops_action.errors import BaselineMissing, BaselineUnavailable
from mlops_action.metrics.baseline import Baseline, Baselines
from mlops_action.records import MetricReading, Plan, RunResult, StepResult
from mlops_action.repository import Repository
from mlops_action.vocabulary import RUN_SCHEMA, StepStatus

RELEASED = Path(__file__).parents[1] / "manifests/released/v1-first.json"
LONG = Decimal("0.1000000000000000055511151231257827")


def run(status: StepStatus = StepStatus.OK) -> Any:
    readings = (
        MetricReading("auc", Decimal("0.9"), "m#/auc", "train", "c=NO"),
        MetricReading("x", LONG, "m#/x", "train"),
    )
    plan = Plan("", "/p", "mlops-out", (), ())
    step = StepResult("train", status, readings=readings)
    return encode(RunResult(RUN_SCHEMA, "0", "s", "f", plan, (step,)))


def read(folder: Path, locator: str, *own: Path) -> Baseline:
    known = Baselines(folder, Repository(folder, {}))
    known.own += own
    known.refuse_itself(locator, "m.json#/auc")
    return known.read(locator)


def refusal(folder: Path, locator: str, *own: Path) -> BaselineUnavailable:
    with pytest.raises(BaselineUnavailable) as caught:
        read(folder, locator, *own)
    return caught.value


def written(folder: Path, name: str, value: Any) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(value))
    return folder / name


@pytest.mark.parametrize("locator", ["accepted", "accepted/", "accepted/run.json", "./accepted"])
def test_the_folder_of_a_run_gives_all_its_readings(tmp_path: Path, locator: str) -> None:
    written(tmp_path, "accepted/run.json", run())
    readings, identity = read(tmp_path, locator)
    assert [(each.name, each.slice, each.value, each.step) for each in readings] == [
        ("auc", "c=NO", Decimal("0.9"), "train"),
        ("x", "", LONG, "train"),
    ]
    assert readings[0].origin == "accepted/run.json#/steps/0/readings/0"
    assert identity.resolved == "accepted/run.json"
    assert identity.digest.startswith("sha256:")


def test_a_folder_with_a_manifest_alone_gives_its_metrics(tmp_path: Path) -> None:
    written(tmp_path, "accepted/manifest.json", json.loads(RELEASED.read_text()))
    readings, identity = read(tmp_path, "accepted")
    assert readings[0].name == "accuracy"
    assert identity.resolved == "accepted/manifest.json"


def test_a_folder_without_results_is_missing_and_says_what_to_name(tmp_path: Path) -> None:
    written(tmp_path, "accepted/metrics.json", {"auc": 0.9})
    problem = refusal(tmp_path, "accepted")
    assert isinstance(problem, BaselineMissing)
    assert "accepted/metrics.json" in problem.hint


@pytest.mark.parametrize("status", [StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.INTERRUPTED])
def test_a_run_that_did_not_end_well_is_no_baseline(tmp_path: Path, status: StepStatus) -> None:
    written(tmp_path, "accepted/run.json", run(status))
    assert f"has the status `{status}`" in refusal(tmp_path, "accepted").message
    manifest = json.loads(RELEASED.read_text())
    manifest["results"]["steps"][0]["status"] = str(status)
    written(tmp_path, "other/manifest.json", manifest)
    assert f"has the status `{status}`" in refusal(tmp_path, "other").message


@pytest.mark.parametrize("name", ["run.json", "manifest.json"])
def test_another_format_is_refused(tmp_path: Path, name: str) -> None:
    value = run() if name == "run.json" else json.loads(RELEASED.read_text())
    written(tmp_path, f"accepted/{name}", {**value, "schema": "mlops-action/x/v9"})
    assert "mlops-action/x/v9" in refusal(tmp_path, "accepted").message


@pytest.mark.parametrize("locator", ["out", "out/run.json", "./out/", "out/manifest.json"])
def test_the_results_of_this_very_run_are_refused(tmp_path: Path, locator: str) -> None:
    written(tmp_path, "out/run.json", run())
    written(tmp_path, "out/manifest.json", json.loads(RELEASED.read_text()))
    assert "the result of this very run" in refusal(tmp_path, locator, tmp_path / "out").message


def test_a_folder_beside_the_results_of_this_run_is_a_baseline(tmp_path: Path) -> None:
    written(tmp_path, "out/run.json", run())
    written(tmp_path, "accepted/run.json", run())
    assert read(tmp_path, "accepted", tmp_path / "out")[0]


@pytest.mark.parametrize(
    ("place", "value"),
    [("name", 1), ("slice", []), ("step", {}), ("value", "much"), ("name", None)],
)
def test_readings_of_a_run_that_make_no_sense_never_become_numbers(tmp_path: Path, place: str, value: Any) -> None:
    broken = run()
    broken["steps"][0]["readings"][0][place] = value
    written(tmp_path, "accepted/run.json", broken)
    if (place, value) == ("name", None):
        assert read(tmp_path, "accepted")[0][0].name == ""
    else:
        assert refusal(tmp_path, "accepted").origin.startswith("accepted/run.json#/steps/0/readings/0")

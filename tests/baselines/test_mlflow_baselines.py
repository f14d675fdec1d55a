"""Baselines from an MLflow server: a real HTTP server that answers as MLflow's documentation says."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from mlflow_rest import Tracking, serving

from mlops_action.errors import BaselineMissing, BaselineUnavailable
from mlops_action.evaluate import evaluate
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import MetricReading, PlannedGate, Verdict
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome


@pytest.fixture
def tracking() -> Iterator[Tracking]:
    with serving(Tracking()) as server:
        server.add_run("abc", auc=0.91, loss=0.3)
        server.aliases["credit", "champion"] = "7"
        server.versions["credit", "7"] = "abc"
        server.versions["credit", "8"] = ""
        yield server


def baselines(tracking: Tracking, folder: Path = Path("/nowhere"), **env: str) -> Baselines:
    return Baselines(folder, Repository(folder, {"MLFLOW_TRACKING_URI": tracking.url, **env}))


def refusal(tracking: Tracking, locator: str, **env: str) -> BaselineUnavailable:
    with pytest.raises(BaselineUnavailable) as caught:
        baselines(tracking, **env).read(locator)
    return caught.value


def test_the_metrics_of_a_run_are_read_with_their_place(tracking: Tracking) -> None:
    readings, identity = baselines(tracking).read("runs:/abc")
    assert [(each.name, each.value, each.origin) for each in readings] == [
        ("auc", Decimal("0.91"), "runs:/abc#/run/data/metrics/0/value"),
        ("loss", Decimal("0.3"), "runs:/abc#/run/data/metrics/1/value"),
    ]
    assert (identity.locator, identity.resolved) == ("runs:/abc", "runs:/abc")
    assert identity.digest.startswith("sha256:")


@pytest.mark.parametrize("locator", ["models:/credit@champion", "models:/credit/7"])
def test_a_model_of_the_registry_is_the_run_that_made_it(tracking: Tracking, locator: str) -> None:
    readings, identity = baselines(tracking).read(locator)
    assert readings[0].value == Decimal("0.91")
    assert identity.resolved == "models:/credit/7 (runs:/abc)"


def test_the_digest_is_that_of_the_metrics_whatever_else_changes(tracking: Tracking) -> None:
    before = baselines(tracking).read("runs:/abc")[1].digest
    tracking.runs["abc"]["data"]["metrics"].reverse()
    tracking.runs["abc"]["data"]["tags"] = [{"key": "note", "value": "x"}]
    assert baselines(tracking).read("runs:/abc")[1].digest == before
    tracking.add_run("abc", auc=0.92, loss=0.3)
    assert baselines(tracking).read("runs:/abc")[1].digest != before


def test_a_server_is_asked_once_for_a_baseline(tracking: Tracking) -> None:
    known = baselines(tracking)
    known.read("runs:/abc")
    known.read("runs:/abc")
    assert [path for path, _, _ in tracking.asked] == ["/api/2.0/mlflow/runs/get"]


@pytest.mark.parametrize("locator", ["runs:/gone", "models:/credit@gone", "models:/credit/9", "models:/gone@champion"])
def test_what_is_not_there_is_missing(tracking: Tracking, locator: str) -> None:
    problem = refusal(tracking, locator)
    assert isinstance(problem, BaselineMissing)
    assert f"says {400 if locator == 'models:/credit@gone' else 404}: " in problem.message


@pytest.mark.parametrize(
    "locator", ["runs:/", "runs:/a/b", "models:/credit", "models:/credit/Production", "models:/a/1/2", "models:/@x"]
)
def test_other_locators_are_refused_unasked(tracking: Tracking, locator: str) -> None:
    assert "does not name a run or a model" in refusal(tracking, locator).message
    assert tracking.asked == []


def test_a_model_that_was_registered_without_a_run_is_told(tracking: Tracking) -> None:
    assert "models:/credit/8 was registered without a run" in refusal(tracking, "models:/credit/8").message


@pytest.mark.parametrize("status", ["FAILED", "KILLED"])
def test_a_run_that_failed_is_no_baseline(tracking: Tracking, status: str) -> None:
    tracking.add_run("bad", status, auc=0.1)
    assert f"`{status}`" in refusal(tracking, "runs:/bad").message


@pytest.mark.parametrize(
    "value", ["NaN", float("nan"), float("inf"), None, True, sys.float_info.max, -sys.float_info.max]
)
def test_a_metric_that_is_no_number_never_passes(tracking: Tracking, value: object) -> None:
    tracking.add_run("odd", auc=value)
    assert judged(baselines(tracking), "runs:/odd").outcome is Outcome.INCONCLUSIVE


def judged(known: Baselines, locator: str, origin: str = "m.json#/auc") -> Verdict:
    gate = PlannedGate("g", "auc", "max-drop", {"max-drop": {"absolute": 0}}, "g:1:1", "higher", locator)
    return evaluate([gate], [MetricReading("auc", Decimal("0.91"), origin)], known).verdicts[0]


def test_a_gate_compares_with_the_champion(tracking: Tracking) -> None:
    verdict = judged(baselines(tracking), "models:/credit@champion")
    assert verdict.outcome is Outcome.PASS
    assert verdict.baseline is not None
    assert verdict.baseline.resolved == "models:/credit/7 (runs:/abc)"


def test_a_run_is_not_compared_with_itself(tracking: Tracking, tmp_path: Path) -> None:
    assert judged(baselines(tracking, MLFLOW_RUN_ID="abc"), "models:/credit@champion").undecided == "broken"
    (tmp_path / "run.json").write_text(json.dumps({"info": {"run_id": "abc"}, "data": {"metrics": {"auc": 0.91}}}))
    verdict = judged(baselines(tracking, tmp_path), "runs:/abc", "run.json#/data/metrics/auc")
    assert (verdict.outcome, verdict.undecided) == (Outcome.INCONCLUSIVE, "broken")
    assert "the very run" in verdict.message


@pytest.mark.parametrize(
    ("env", "header"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "t0ken"}, "Bearer t0ken"),
        ({"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}, "Basic dTpw"),
        ({}, ""),
    ],
)
def test_the_server_is_opened_as_mlflow_does(tracking: Tracking, env: dict[str, str], header: str) -> None:
    tracking.needed = header
    assert baselines(tracking, **env).read("runs:/abc")[0]


def test_user_and_password_may_stand_in_the_address_and_are_never_said(tracking: Tracking) -> None:
    tracking.needed = "Basic dTpwQHNz"
    address = tracking.url.replace("http://", "http://u:p%40ss@")
    assert baselines(tracking, MLFLOW_TRACKING_URI=address).read("runs:/abc")[0]
    said = str(refusal(tracking, "runs:/gone", MLFLOW_TRACKING_URI=address))
    assert "p@ss" not in said
    assert "p%40ss" not in said


def test_without_the_right_token_it_is_said_what_is_missing(tracking: Tracking) -> None:
    tracking.needed = "Bearer other"
    problem = refusal(tracking, "runs:/abc", MLFLOW_TRACKING_TOKEN="t0ken")
    assert "says 401" in problem.message
    assert "MLFLOW_TRACKING_TOKEN" in problem.hint
    assert "t0ken" not in f"{problem} {problem.hint}"


@pytest.mark.parametrize("address", ["", "file:///tmp/mlruns", "databricks", "sqlite:///x.db", "http://"])
def test_an_address_that_is_no_server_is_told(tracking: Tracking, address: str) -> None:
    assert "MLFLOW_TRACKING_URI" in refusal(tracking, "runs:/abc", MLFLOW_TRACKING_URI=address).message


def test_a_server_that_cannot_be_reached_is_told(tracking: Tracking) -> None:
    problem = refusal(tracking, "runs:/abc", MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert not isinstance(problem, BaselineMissing)
    assert "127.0.0.1:9: " in problem.message


def test_a_redirect_is_not_followed_with_the_token(tracking: Tracking) -> None:
    with serving(Tracking()) as other:
        tracking.status, tracking.location = 302, f"{other.url}/api/2.0/mlflow/runs/get"
        assert "says 302" in refusal(tracking, "runs:/abc", MLFLOW_TRACKING_TOKEN="t0ken").message
        assert other.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"run": 1}',
        b'{"run": {"info": {"run_id": "other"}, "data": {}}}',
        b'{"run": {"info": {"run_id": "abc"}, "data": {"metrics": {"auc": 1}}}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_an_answer_that_makes_no_sense_is_told(tracking: Tracking, raw: bytes) -> None:
    tracking.raw = raw
    assert not isinstance(refusal(tracking, "runs:/abc"), BaselineMissing)


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_refusal_of_the_server_is_told_and_is_not_missing(tracking: Tracking, status: int) -> None:
    tracking.status, tracking.raw = status, b"<html>proxy</html>"
    problem = refusal(tracking, "runs:/abc")
    assert not isinstance(problem, BaselineMissing)
    assert f"says {status}" in problem.message


def test_rows_of_predictions_and_histories_are_not_asked_of_a_server(tracking: Tracking, tmp_path: Path) -> None:
    with pytest.raises(BaselineUnavailable, match="no rows of predictions"):
        baselines(tracking).file("runs:/abc", tmp_path)
    with pytest.raises(BaselineUnavailable, match="no history"):
        baselines(tracking).history("runs:/abc")

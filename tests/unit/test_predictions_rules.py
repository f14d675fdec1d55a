"""Policies on predictions: what does not fit together is told before anything is judged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlops_action.config.load import policy_from_text
from mlops_action.errors import MlopsError, Problems
from mlops_action.gate_plan import plan_gates
from mlops_action.vocabulary import Prove

TEST = "{file: p.parquet, task: binary, score: s, slices: [country, country & plan], baseline: git::p.parquet}"


def told(gate: str, test: str = TEST) -> list[str]:
    try:
        policy_from_text(f"predictions:\n  test: {test}\ngates:\n  g: {{{gate}}}\n", "gates.yaml")
    except Problems as problems:
        return [f"{each.origin} {each.message} | {each.hint}" for each in problems.problems]
    except MlopsError as error:
        return [f"{error.origin} {error.message} | {error.hint}"]
    return []


def planned(gate: str) -> Any:
    [found] = plan_gates(policy_from_text(f"predictions:\n  test: {TEST}\ngates:\n  g: {{{gate}}}\n", "gates.yaml"))
    return found


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        ("predictions: tset, metric: f1, min: 0", "which are not declared | did you mean `test`?"),
        ("predictions: test, metric: f1, min: 0, slices: [contry]", "no slices by `contry` | did you mean `country`?"),
        ("predictions: test, metric: f1, min: 0, slices: all, slice: country=NO", "exclude each other"),
        ("predictions: test, metric: f1, max-gap: 0.1", "`groups` goes together with `max-gap` or `min-ratio`"),
        ("predictions: test, metric: f1, min: 0.1, groups: country", "`groups` goes together"),
        ("predictions: test, metric: f1, ratchet: 0.1, history: h.jsonl", "does not judge `predictions`"),
        ("metric: f1, min: 0.1, slices: all", "`slices` needs `predictions`"),
        ("metric: f1, min: 0.1, prove: fail", "`prove` needs `predictions`"),
        ("metric: f1, max-gap: 0.1, groups: country", "`max-gap` needs `predictions`"),
        ("predictions: test, metric: f1, min: 0, confidence: 100%", "a confidence level from 50% to below 100%"),
        ("predictions: test, metric: f1, min: 0, min-n: -1", "a whole number from 0 on"),
        ("predictions: test, min: 0", "metric"),
        ("predictions: test, metric: rocauc, min: 0", "have no metric `rocauc` | did you mean `roc_auc`?"),
        ("predictions: test, metric: mae, max: 1", "have no metric `mae`"),
    ],
)
def test_a_gate_that_does_not_fit_its_predictions_is_told(gate: str, says: str) -> None:
    assert any(says in line and line.startswith("gates.yaml:") for line in told(gate)), told(gate)


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("{file: p.parquet, task: binary}", "needs `score` or `prediction`"),
        ("{file: p.parquet, task: multiclass}", "needs `scores` or `prediction`"),
        ("{file: p.parquet, task: multilabel, labels: {a: a}}", "and `scores` for each of them"),
        ("{file: p.parquet, task: ranking, score: s}", "needs `query` and `score`"),
        ("{file: p.parquet, task: binry, score: s}", "expected one of"),
        ("{file: p.parquet, task: regression, prediction: p, calibration: true}", "`calibration` is of the `score`"),
        ("{file: p.parquet, task: binary, score: s, expected: {country: [NO]}}", "which is no slice"),
        ("{file: p.parquet, task: binary, score: s, positive: [1]}", "expected a label"),
    ],
)
def test_predictions_that_lack_what_their_task_needs_are_told(test: str, says: str) -> None:
    assert any(says in line for line in told("metric: f1, min: 0.1, predictions: test", test))


def test_a_change_needs_a_baseline_of_predictions_and_not_one_of_metrics() -> None:
    test = "{file: p.parquet, task: binary, score: s}\nbaseline: metrics.json"
    assert "its predictions name none" in told("predictions: test, metric: f1, max-drop: 0.1", test)[0]


def test_all_rows_must_prove_that_they_pass_and_slices_that_they_fail() -> None:
    assert planned("predictions: test, metric: f1, min: 0.1").prove is Prove.PASS
    assert planned("predictions: test, metric: f1, min: 0.1, slices: all").prove is Prove.FAIL
    assert planned("predictions: test, metric: f1, min: 0.1, slices: all, prove: pass").prove is Prove.PASS


def test_the_plan_names_the_slices_the_level_and_the_smallest_slice() -> None:
    found = planned("predictions: test, metric: recall, max-drop: 1%, slices: all, confidence: 90%")
    assert found.slices == ("country", "country & plan")
    assert found.confidence == Decimal("0.90")
    assert found.baseline == "git::p.parquet"
    assert (found.smallest.rows, found.smallest.positives, found.smallest.negatives) == (30, 10, 0)
    assert (found.predictions.file, found.predictions.score) == ("p.parquet", "s")

"""``gate explain``: all that is known of one verdict, from the command line."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlops_action.cli.main import cli
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.gate_explain import distance
from mlops_action.metrics.predictions.moved import moved_rows
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.pipeline import Pipeline
from mlops_action.records import Part, Verdict
from mlops_action.vocabulary import Outcome, Task

POLICY = """
predictions:
  test: {file: new.csv, task: binary, label: y, score: s, id: id, slices: [c], baseline: old.csv}
gates:
  floor: {metric: auc, min: 0.9}
  drop:
    {metric: accuracy, predictions: test, slices: [c], max-drop: 0.02, min-n: 9, min-positives: 1, min-negatives: 1}
"""


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def two_models(folder: Path) -> None:
    """120 rows; the candidate is wrong on the first ten of `NO`, the first one most."""
    old = [{"id": f"r{i}", "y": i % 2, "s": 0.8 if i % 2 else 0.2, "c": "NO" if i < 60 else "SE"} for i in range(120)]
    new = [dict(row) for row in old]
    for i in range(10):
        new[i]["s"] = (0.4 - i / 100 if new[i]["y"] else 0.6 + i / 100) if i else 0.99
    write(folder / "old.csv", old)
    write(folder / "new.csv", list(reversed(new)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    two_models(tmp_path)
    (tmp_path / "mlops.yaml").write_text(POLICY)
    (tmp_path / "m.json").write_text('{"auc": 0.85}')
    monkeypatch.chdir(tmp_path)
    Pipeline(Settings(Options(metrics=("m.json",))), Context.of_process()).gate("")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["gate", "explain", *arguments])
    return done.exit_code, done.output


def test_a_gate_on_a_metric_file_is_explained(folder: Path) -> None:
    code, said = run("floor")
    assert code == 0
    for text in (
        "Gate floor: FAIL",
        "0.85, read at m.json#/auc",
        "at least 0.9",
        "0.05 beyond the limit",
        "mlops.yaml:5",
    ):
        assert text in said


def test_a_gate_on_predictions_is_explained_down_to_its_rows(folder: Path) -> None:
    code, said = run("drop", "--rows", "3")
    assert code == 0
    for text in ("Gate drop: FAIL", "old.csv (sha256:", "c=NO", "95% interval", "60 rows", "with 80% power"):
        assert text in said
    rows = said[said.index("Rows that got worse most in c=NO") :].splitlines()[1:]
    assert rows[0].split() == ["r0:", "0,", "0.2,", "0.99", "(0.79)"]
    assert len(rows) == 3


def test_a_gate_that_was_not_judged_is_an_error_with_the_nearest_name(folder: Path) -> None:
    code, said = run("flor")
    assert code == 2
    assert "did you mean `floor`?" in said


def test_without_a_judgement_there_is_nothing_to_explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlops.yaml").write_text("gates: {g: {metric: m, min: 1}}")
    monkeypatch.chdir(tmp_path)
    code, said = run("g")
    assert code == 2
    assert "does not exist" in said


def test_files_that_are_gone_by_now_do_not_hide_the_verdict(folder: Path) -> None:
    (folder / "old.csv").unlink()
    code, said = run("drop")
    assert code == 0
    assert "Gate drop: FAIL" in said
    assert "Rows cannot be shown" in said


def test_text_of_a_verdict_cannot_steer_the_terminal(folder: Path) -> None:
    verdicts = json.loads((folder / "mlops-out/verdicts.json").read_text())
    verdicts["verdicts"][0]["message"] = "a\x1b[31m\n::error::b"
    (folder / "mlops-out/verdicts.json").write_text(json.dumps(verdicts))
    said = run("floor")[1]
    assert "\x1b" not in said
    assert not any(line.startswith("::") for line in said.splitlines())


@pytest.mark.parametrize(
    ("needed", "value", "said"),
    [
        ("at least 0.9", "0.85", "0.05 beyond the limit"),
        ("at least 0.9", "0.95", "0.05 to spare"),
        ("at least 0.9", "0.9", "at the limit"),
        ("at most 1E+3", "900", "100 to spare"),
        ("at most -0.5", "-0.25", "0.25 beyond the limit"),
        ("from 150 to 200", "190", "10 to spare"),
        ("from 150 to 200", "100", "50 beyond the limit"),
        ("171", "170", "1 beyond the limit"),
        ("171", "171", "at the limit"),
        ("a baseline other than 0, or an absolute amount alone", "1", ""),
        ("at least 0.9", "NaN", ""),
        ("", "1", ""),
    ],
)
def test_the_distance_to_the_limit_is_exact(needed: str, value: str, said: str) -> None:
    verdict = Verdict("g", Outcome.FAIL, "m", "", "min", "block", "x", Decimal(value), needed=needed)
    assert distance(verdict) == said


def test_the_distance_of_a_gate_on_groups_is_that_between_them() -> None:
    pair = Part("a / b", Outcome.FAIL, value=Decimal("0.9"), baseline_value=Decimal("0.6"))
    verdict = Verdict("g", Outcome.FAIL, "m", "", "max-gap", "block", "x", Decimal("0.9"), needed="at most 0.1")
    assert distance(replace(verdict, parts=(pair,))) == "0.2 beyond the limit"
    assert distance(verdict) == ""


# --- rows


def moved(folder: Path, old: list[dict[str, Any]], new: list[dict[str, Any]], roles: Roles) -> list[tuple[str, float]]:
    write(folder / "a.csv", new)
    write(folder / "b.csv", old)
    found = moved_rows(folder / "a.csv", folder / "b.csv", roles, None, 5)
    return [] if found is None else [(row.id, round(row.worse_by, 6)) for row in found]


def test_rows_of_a_regression_move_by_their_distance_from_the_truth(tmp_path: Path) -> None:
    old = [{"id": i, "label": 10.0, "p": 10.0} for i in range(3)]
    new = [{"id": 0, "label": 10.0, "p": 9.0}, {"id": 1, "label": 10.0, "p": 14.0}, {"id": 2, "label": 10.0, "p": 10.0}]
    assert moved(tmp_path, old, new, Roles(Task.REGRESSION, prediction="p", id="id")) == [("1", 4.0), ("0", 1.0)]


def test_rows_of_a_classifier_move_by_the_probability_of_their_class(tmp_path: Path) -> None:
    old = [{"id": i, "label": "a", "pa": 0.9, "pb": 0.1} for i in range(2)]
    new = [{"id": 0, "label": "a", "pa": 0.6, "pb": 0.4}, {"id": 1, "label": "b", "pa": 0.1, "pb": 0.9}]
    roles = Roles(Task.MULTICLASS, scores=(("a", "pa"), ("b", "pb")), id="id")
    assert moved(tmp_path, old, new, roles) == [("0", 0.3)]


def test_rows_of_a_classifier_without_scores_move_when_their_class_is_wrong_now(tmp_path: Path) -> None:
    old = [{"id": i, "label": "a", "p": "a"} for i in range(2)]
    new = [{"id": 0, "label": "a", "p": "b"}, {"id": 1, "label": "a", "p": "a"}]
    assert moved(tmp_path, old, new, Roles(Task.MULTICLASS, prediction="p", id="id")) == [("0", 1.0)]


def test_rows_of_a_ranking_have_no_one_truth(tmp_path: Path) -> None:
    assert moved_rows(tmp_path / "a", tmp_path / "b", Roles(Task.RANKING, id="id"), None, 5) is None

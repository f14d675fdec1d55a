"""Multiclass classification by slice, beside scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import metrics

from mlops_action.errors import PredictionsUnreadable
from mlops_action.metrics.predictions import files
from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Task

NAMES = ("bird", "cat", "dog", "eel")
ROLES = Roles(Task.MULTICLASS, "y", scores=tuple((name, f"p_{name}") for name in NAMES), slices=("g",))


def table_of(rows: int = 4000) -> tuple[dict[str, Any], Any, Any]:
    stream = np.random.default_rng(5)
    y = stream.integers(0, 4, rows)
    odds = stream.normal(size=(rows, 4)) + 1.5 * np.eye(4)[y]
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    table = {"y": np.array(NAMES)[y], "g": np.array(["a", "b"])[stream.integers(0, 2, rows)]}
    return table | {f"p_{name}": p[:, place].copy() for place, name in enumerate(NAMES)}, y, p


def measured(folder: Path, table: dict[str, Any], roles: Roles = ROLES) -> Any:
    parquet.write_table(pa.table(table), folder / "p.parquet")
    return measure(folder / "p.parquet", roles)


@pytest.mark.parametrize("batch", [1 << 18, 700])
def test_every_metric_of_every_slice_is_scikit_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(files, "BATCH_ROWS", batch)
    table, truth, scores = table_of()
    for each in measured(tmp_path, table):
        chosen = np.ones(4000, bool) if not each.name else table["g"] == each.name[2:]
        y, p = truth[chosen], scores[chosen]
        said = p.argmax(axis=1)
        known = {
            "accuracy": metrics.accuracy_score(y, said),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, said),
            "macro_precision": metrics.precision_score(y, said, average="macro"),
            "macro_recall": metrics.recall_score(y, said, average="macro"),
            "macro_f1": metrics.f1_score(y, said, average="macro"),
            "mcc": metrics.matthews_corrcoef(y, said),
            "log_loss": metrics.log_loss(y, p),
            "brier": metrics.brier_score_loss(y, p, scale_by_half=False),
            "top_1_accuracy": metrics.top_k_accuracy_score(y, p, k=1),
            "top_3_accuracy": metrics.top_k_accuracy_score(y, p, k=3),
        }
        for name, value in known.items():
            assert each.metrics[name].value == pytest.approx(value, abs=1e-9), name
            assert each.metrics[name].interval.low < value < each.metrics[name].interval.high


def test_a_class_that_is_never_predicted_leaves_macro_precision_undefined(tmp_path: Path) -> None:
    table = {"y": ["a", "b", "c", "a"], "said": ["a", "b", "a", "a"]}
    found = measured(tmp_path, table, Roles(Task.MULTICLASS, "y", prediction="said"))[0].metrics
    assert found["macro_precision"].value is None
    assert found["macro_recall"].value == pytest.approx(2 / 3)
    assert found["accuracy"].value == 0.75


def test_a_label_without_a_column_of_scores_is_refused(tmp_path: Path) -> None:
    table = table_of(10)[0]
    table["y"] = np.array(["fox"] * 10)
    with pytest.raises(PredictionsUnreadable, match="`fox`: no column of scores"):
        measured(tmp_path, table)


def test_scores_that_are_no_probabilities_are_refused_with_their_row(tmp_path: Path) -> None:
    table = table_of(10)[0]
    table["p_cat"][3] += 0.5
    with pytest.raises(PredictionsUnreadable, match=r"row 4 add up to 1\.5"):
        measured(tmp_path, table)

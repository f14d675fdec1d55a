"""Multilabel classification, beside scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import metrics

from mlops_action.errors import BadValue
from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Task

NAMES = ("news", "sport", "music")
ROLES = Roles(
    Task.MULTILABEL,
    "",
    labels=tuple((name, f"y_{name}") for name in NAMES),
    scores=tuple((name, f"p_{name}") for name in NAMES),
    slices=("g",),
)


def table_of(rows: int = 1000) -> tuple[dict[str, Any], Any, Any]:
    stream = np.random.default_rng(6)
    truth = (stream.random((rows, 3)) < (0.2, 0.5, 0.1)).astype(np.int64)
    scores = 1 / (1 + np.exp(-(2 * truth - 1 + stream.normal(size=(rows, 3)))))
    table: dict[str, Any] = {"g": np.array(["a", "b"])[stream.integers(0, 2, rows)]}
    for place, name in enumerate(NAMES):
        table |= {f"y_{name}": truth[:, place].copy(), f"p_{name}": scores[:, place].copy()}
    return table, truth, scores


def test_every_metric_of_every_slice_is_scikit_learns(tmp_path: Path) -> None:
    table, truth, scores = table_of()
    parquet.write_table(pa.table(table), tmp_path / "p.parquet")
    for each in measure(tmp_path / "p.parquet", ROLES):
        chosen = np.ones(1000, bool) if not each.name else table["g"] == each.name[2:]
        y, p = truth[chosen], scores[chosen]
        said = (p >= 0.5).astype(int)
        known = {
            "subset_accuracy": metrics.accuracy_score(y, said),
            "hamming_loss": metrics.hamming_loss(y, said),
            "micro_f1": metrics.f1_score(y, said, average="micro"),
            "macro_f1": metrics.f1_score(y, said, average="macro"),
            "sport/roc_auc": metrics.roc_auc_score(y[:, 1], p[:, 1]),
            "music/average_precision": metrics.average_precision_score(y[:, 2], p[:, 2]),
        }
        for name, value in known.items():
            assert each.metrics[name].value == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_the_interval_of_f1_over_labels_is_near_that_of_the_bootstrap_of_rows(tmp_path: Path, average: str) -> None:
    table, truth, scores = table_of()
    parquet.write_table(pa.table(table), tmp_path / "p.parquet")
    found = measure(tmp_path / "p.parquet", ROLES)[0].metrics[f"{average}_f1"].interval
    stream, said = np.random.default_rng(1), scores >= 0.5
    drawn = []
    for _ in range(800):
        rows = stream.integers(0, 1000, 1000)
        drawn.append(metrics.f1_score(truth[rows], said[rows], average=average))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.15 * (high - low))


def test_a_label_without_a_score_is_refused() -> None:
    with pytest.raises(BadValue, match="a score for each"):
        measure(Path("p.parquet"), Roles(Task.MULTILABEL, "", labels=(("a", "y"),)))

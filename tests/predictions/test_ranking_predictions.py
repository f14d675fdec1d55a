"""Rankings by query, beside scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import metrics

from mlops_action.errors import PredictionsUnreadable
from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Task

ROLES = Roles(Task.RANKING, "y", "p", query="q")
QUERIES, SIZE = 60, 9


def measured(folder: Path, table: dict[str, Any]) -> Any:
    parquet.write_table(pa.table(table), folder / "p.parquet")
    return measure(folder / "p.parquet", ROLES)[0].metrics


def table_of(digits: int) -> tuple[dict[str, Any], Any, Any]:
    stream = np.random.default_rng(4)
    relevance = stream.integers(0, 4, (QUERIES, SIZE)) * (stream.random((QUERIES, SIZE)) < 0.5)
    relevance[:, 0] += relevance.sum(axis=1) == 0
    score = np.round(relevance / 3 + stream.normal(size=(QUERIES, SIZE)), digits)
    shuffled = stream.permutation(QUERIES * SIZE)
    query = np.repeat([f"q{number}" for number in range(QUERIES)], SIZE)
    table = {"y": relevance.reshape(-1), "p": score.reshape(-1), "q": query}
    return {name: values[shuffled] for name, values in table.items()}, relevance, score


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_rankings_are_scikit_learns_whatever_the_ties(tmp_path: Path, digits: int) -> None:
    table, relevance, score = table_of(digits)
    found = measured(tmp_path, table)
    for k in (1, 5, 10):
        assert found[f"ndcg@{k}"].value == pytest.approx(metrics.ndcg_score(relevance, score, k=k), abs=1e-9)
    precision = metrics.label_ranking_average_precision_score(relevance > 0, score)
    assert found["map@10"].value == pytest.approx(precision, abs=1e-9)
    worst = [
        min((row >= row[place]).sum() for place in np.flatnonzero(wanted))
        for wanted, row in zip(relevance, score, strict=True)
    ]
    assert found["mrr"].value == pytest.approx(np.mean(1 / np.array(worst)), abs=1e-9)
    assert found["mrr"].denominator == QUERIES


def test_a_query_without_a_relevant_row_is_not_counted(tmp_path: Path) -> None:
    found = measured(tmp_path, {"y": [1, 0, 0, 0], "p": [0.1, 0.9, 0.5, 0.4], "q": [1, 1, 2, 2]})
    assert found["mrr"].value == 0.5
    assert found["mrr"].denominator == 1


def test_no_relevant_row_at_all_leaves_rankings_undefined(tmp_path: Path) -> None:
    found = measured(tmp_path, {"y": [0, 0], "p": [0.1, 0.9], "q": [1, 1]})
    assert {str(each) for each in found.values()} == {"undefined (queries with a relevant row: 0)"}


def test_negative_relevance_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(PredictionsUnreadable, match="negative in row 2"):
        measured(tmp_path, {"y": [0, -1], "p": [0.1, 0.9], "q": [1, 1]})

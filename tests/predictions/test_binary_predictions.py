"""Binary classification by slice, beside scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import metrics

from mlops_action.metrics.predictions import areas
from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.statistics.delong import auc_of
from mlops_action.vocabulary import Task

EXACT = 1e-9
ROLES = Roles(Task.BINARY, "y", "p", slices=("country", "device", ("country", "device")))


def table_of(rows: int, *, digits: int = 17, seed: int = 1) -> dict[str, Any]:
    stream = np.random.default_rng(seed)
    y = (stream.random(rows) < 0.3).astype(np.int64)
    p = np.round(1 / (1 + np.exp(-(1.5 * y - 1 + stream.normal(size=rows)))), digits)
    country = np.array(["NO", "SE", "DK", "FI"])[stream.integers(0, 4, rows)]
    return {"y": y, "p": p, "country": country, "device": np.array(["phone", "desk"])[stream.integers(0, 2, rows)]}


def written(folder: Path, table: dict[str, Any]) -> Path:
    path = folder / "predictions.parquet"
    parquet.write_table(pa.table(table), path)
    return path


def oracle(y: Any, p: Any) -> dict[str, float]:
    said = p >= 0.5
    return {
        "accuracy": metrics.accuracy_score(y, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, said),
        "precision": metrics.precision_score(y, said),
        "recall": metrics.recall_score(y, said),
        "specificity": metrics.recall_score(1 - y, ~said),
        "f1": metrics.f1_score(y, said),
        "mcc": metrics.matthews_corrcoef(y, said),
        "roc_auc": metrics.roc_auc_score(y, p),
        "average_precision": metrics.average_precision_score(y, p),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier_score_loss(y, p),
    }


def mask_of(name: str, table: dict[str, Any]) -> Any:
    chosen = np.ones(len(table["y"]), bool)
    for part in name.split(" & ") if name else []:
        column, _, value = part.partition("=")
        chosen &= table[column] == value
    return chosen


@pytest.mark.parametrize("digits", [17, 2, 1])
def test_every_metric_of_every_slice_is_scikit_learns(tmp_path: Path, digits: int) -> None:
    table = table_of(20_000, digits=digits)
    found = measure(written(tmp_path, table), ROLES)
    assert len(found) == 1 + 4 + 2 + 8
    for each in found:
        chosen = mask_of(each.name, table)
        assert each.rows == chosen.sum()
        for name, value in oracle(table["y"][chosen], table["p"][chosen]).items():
            assert each.metrics[name].value == pytest.approx(value, abs=EXACT), (each.name, name)


@pytest.mark.parametrize("digits", [17, 2])
def test_pieces_of_the_sort_do_not_change_the_areas(
    tmp_path: Path, digits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of(20_000, digits=digits)
    whole = measure(written(tmp_path, table), ROLES)
    monkeypatch.setattr(areas, "PIECE_ROWS", 300)
    monkeypatch.setattr(areas, "PART_ROWS", 50)
    for one, other in zip(whole, measure(tmp_path / "predictions.parquet", ROLES), strict=True):
        assert one.metrics["roc_auc"].value == other.metrics["roc_auc"].value
        interval, same = one.metrics["roc_auc"].interval, other.metrics["roc_auc"].interval
        assert interval
        assert same
        assert (interval.low, interval.high) == pytest.approx((same.low, same.high), abs=EXACT)


@pytest.mark.parametrize(
    "shape",
    ["even", "few values", "one value", "mostly near 0", "two clumps", "huge", "tiny"],
)
def test_scores_of_any_shape_are_cut_into_pieces_that_keep_their_order(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = np.random.default_rng(8)
    scores = {
        "even": lambda: stream.random(9000),
        "few values": lambda: np.round(stream.random(9000), 1),
        "one value": lambda: np.full(9000, 0.3),
        "mostly near 0": lambda: stream.random(9000) ** 40,
        "two clumps": lambda: stream.normal(size=9000) * 1e-9 + stream.integers(0, 2, 9000),
        "huge": lambda: stream.choice([-1, 1], 9000) * stream.random(9000) * 1.7e308,
        "tiny": lambda: stream.random(9000) * 1e-310,
    }[shape]()
    labels = stream.random(9000) < 0.3
    monkeypatch.setattr(areas, "PIECE_ROWS", 300)
    monkeypatch.setattr(areas, "PART_ROWS", 50)
    store = areas.ScoreStore()
    for part in np.split(np.arange(9000), [1000, 1001, 4000, 8999]):
        store.add(scores[part], labels[part], None, 1)
    pieces = list(store.pieces())
    assert sum(each.positive.size for each in pieces) == 9000
    found = areas.Areas(([""], np.zeros(1, np.int64)))
    for each in pieces:
        found.add(each)
    assert found.areas()[0].value == pytest.approx(auc_of(labels, scores).value, abs=EXACT)
    most = np.unique(scores, return_counts=True)[1].max()
    assert max(each.positive.size for each in pieces) < 5 * (300 + most)


@pytest.mark.parametrize("digits", [17, 1])
def test_the_interval_of_the_area_of_each_slice_is_delongs(tmp_path: Path, digits: int) -> None:
    table = table_of(3000, digits=digits)
    for each in measure(written(tmp_path, table), ROLES):
        chosen = mask_of(each.name, table)
        expected = auc_of(table["y"][chosen] == 1, table["p"][chosen]).interval()
        found = each.metrics["roc_auc"].interval
        assert found
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=EXACT)


def test_every_value_lies_in_its_interval(tmp_path: Path) -> None:
    for each in measure(written(tmp_path, table_of(2000)), ROLES):
        for estimate in each.metrics.values():
            assert estimate.interval
            assert estimate.interval.low <= (estimate.value or 0) <= estimate.interval.high


def test_a_slice_without_positives_has_undefined_metrics_that_say_why(tmp_path: Path) -> None:
    table = {"y": [0, 0, 1, 0], "p": [0.1, 0.2, 0.9, 0.4], "g": ["a", "a", "b", "b"]}
    by_name = {
        each.name: each for each in measure(written(tmp_path, table), Roles(Task.BINARY, "y", "p", slices=("g",)))
    }
    undefined = by_name["g=a"].metrics
    for name in ("recall", "precision", "f1", "mcc", "roc_auc", "average_precision", "balanced_accuracy"):
        assert undefined[name].value is None
        assert undefined[name].denominator == 0
        assert str(undefined[name]).startswith("undefined (")
    assert str(undefined["recall"]) == "undefined (positives: 0)"
    assert undefined["log_loss"].value == pytest.approx(metrics.log_loss([0, 0], [0.1, 0.2], labels=[0, 1]))


def test_scores_that_are_no_probabilities_have_areas_but_no_log_loss(tmp_path: Path) -> None:
    table = {"y": [0, 1, 1, 0], "p": [-3.0, 2.0, 0.5, 1.0]}
    found = measure(written(tmp_path, table), Roles(Task.BINARY, "y", "p"))[0].metrics
    assert found["roc_auc"].value == 0.75
    assert found["log_loss"].value is None


def test_labels_may_be_words_and_predictions_a_column_of_their_own(tmp_path: Path) -> None:
    table = {"y": ["ham", "spam", "spam", "ham"], "said": ["ham", "spam", "ham", "ham"]}
    roles = Roles(Task.BINARY, "y", prediction="said", positive="spam")
    found = measure(written(tmp_path, table), roles)[0].metrics
    assert found["recall"].value == 0.5
    assert found["specificity"].value == 1
    assert "roc_auc" not in found


def test_one_score_for_all_rows_is_no_better_than_chance(tmp_path: Path) -> None:
    table = {"y": [0, 1] * 50, "p": [0.5] * 100}
    assert measure(written(tmp_path, table), Roles(Task.BINARY, "y", "p"))[0].metrics["roc_auc"].value == 0.5


def test_zero_and_minus_zero_are_one_score(tmp_path: Path) -> None:
    table = {"y": [0, 1], "p": [0.0, -0.0]}
    assert measure(written(tmp_path, table), Roles(Task.BINARY, "y", "p"))[0].metrics["roc_auc"].value == 0.5

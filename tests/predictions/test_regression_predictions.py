"""Regression by slice, beside scikit-learn and the bootstrap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import metrics

from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Task

EXACT = 1e-9


def measured(folder: Path, table: dict[str, Any], **roles: Any) -> Any:
    parquet.write_table(pa.table(table), folder / "p.parquet")
    return measure(folder / "p.parquet", Roles(Task.REGRESSION, "y", prediction="p", **roles))


def table_of(rows: int, origin: float = 10.0) -> dict[str, Any]:
    stream = np.random.default_rng(3)
    y = origin + stream.gamma(2, size=rows)
    return {"y": y, "p": y + stream.normal(0.1, 0.5, size=rows), "g": np.array(["a", "b"])[stream.integers(0, 2, rows)]}


@pytest.mark.parametrize("origin", [10.0, 0.5, 1e5])
def test_every_metric_of_every_slice_is_scikit_learns(tmp_path: Path, origin: float) -> None:
    table = table_of(5000, origin)
    for each in measured(tmp_path, table, slices=("g",), threshold=0.9):
        chosen = np.ones(5000, bool) if not each.name else table["g"] == each.name[2:]
        y, p = table["y"][chosen], table["p"][chosen]
        known = {
            "mae": metrics.mean_absolute_error(y, p),
            "mse": metrics.mean_squared_error(y, p),
            "rmse": metrics.root_mean_squared_error(y, p),
            "r2": metrics.r2_score(y, p),
            "explained_variance": metrics.explained_variance_score(y, p),
            "mape": metrics.mean_absolute_percentage_error(y, p),
            "quantile_loss": metrics.mean_pinball_loss(y, p, alpha=0.9),
            "smape": np.mean(2 * np.abs(p - y) / (np.abs(p) + np.abs(y))),
            "bias": np.mean(p - y),
        }
        for name, value in known.items():
            assert each.metrics[name].value == pytest.approx(value, rel=EXACT, abs=EXACT), name


@pytest.mark.parametrize("name", ["r2", "explained_variance", "rmse", "mae"])
def test_intervals_are_near_those_of_the_bootstrap_of_rows(tmp_path: Path, name: str) -> None:
    from sklearn.utils import resample

    table = table_of(2000)
    oracles = {
        "r2": metrics.r2_score,
        "explained_variance": metrics.explained_variance_score,
        "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error,
    }
    drawn = [oracles[name](*resample(table["y"], table["p"], random_state=seed)) for seed in range(1500)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    found = measured(tmp_path, table)[0].metrics[name].interval
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.15 * (high - low))


def test_r2_of_a_constant_truth_is_undefined_and_not_zero(tmp_path: Path) -> None:
    found = measured(tmp_path, {"y": [3.3] * 10, "p": np.linspace(3, 4, 10)})[0].metrics
    assert found["r2"].value is None
    assert found["explained_variance"].value is None
    assert found["mae"].value is not None


def test_mape_with_a_truth_of_zero_is_undefined_and_not_enormous(tmp_path: Path) -> None:
    found = measured(tmp_path, {"y": [0.0, 1.0, 2.0], "p": [0.1, 1.1, 2.1]})[0].metrics
    assert str(found["mape"]) == "undefined (truth in 1 rows: 0)"


def test_one_row_has_a_value_and_an_interval_without_ends(tmp_path: Path) -> None:
    found = measured(tmp_path, {"y": [1.0], "p": [2.0]})[0].metrics
    assert found["mae"].value == 1
    assert found["mae"].interval.high == np.inf
    assert found["r2"].value is None


def test_numbers_too_large_to_square_are_undefined_and_no_traceback(tmp_path: Path) -> None:
    found = measured(tmp_path, {"y": [1e308, -1e308, 5e-324], "p": [-1e308, 1e308, -0.0]})[0].metrics
    assert found["mse"].value is None
    assert found["r2"].value is None


def test_a_variance_too_large_to_be_known_leaves_an_interval_without_ends(tmp_path: Path) -> None:
    found = measured(tmp_path, {"y": [0.0, 1.0, 2.0], "p": [1e200, -1e200, 3e200]})[0].metrics
    assert found["mae"].value == pytest.approx(5e200 / 3)
    assert found["mae"].interval.high == np.inf

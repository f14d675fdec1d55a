"""Weights, clusters and calibration of binary predictions, beside scikit-learn and statsmodels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
from pyarrow import parquet
from sklearn import metrics

from mlops_action.errors import PredictionsUnreadable
from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Task

EXACT = 1e-9
ROLES = Roles(Task.BINARY, "y", "p", slices=("g",))


def table_of(rows: int = 1500, seed: int = 2) -> dict[str, Any]:
    stream = np.random.default_rng(seed)
    y = (stream.random(rows) < 0.3).astype(np.int64)
    return {
        "y": y,
        "p": np.round(1 / (1 + np.exp(-(1.5 * y - 1 + stream.normal(size=rows)))), 3),
        "w": stream.uniform(0, 3, rows),
        "g": np.array(["a", "b"])[stream.integers(0, 2, rows)],
        "one": np.ones(rows),
        "user": np.array([f"u{number}" for number in stream.integers(0, 200, rows)]),
    }


def measured(folder: Path, table: dict[str, Any], **roles: Any) -> Any:
    parquet.write_table(pa.table(table), folder / "p.parquet")
    return measure(folder / "p.parquet", replace(ROLES, **roles))


def test_weighted_metrics_are_scikit_learns(tmp_path: Path) -> None:
    table = table_of()
    for each in measured(tmp_path, table, weight="w"):
        chosen = np.ones(1500, bool) if not each.name else table["g"] == each.name[2:]
        y, p, w = (table[name][chosen] for name in "ypw")
        said = p >= 0.5
        known = {
            "accuracy": metrics.accuracy_score(y, said, sample_weight=w),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, said, sample_weight=w),
            "precision": metrics.precision_score(y, said, sample_weight=w),
            "recall": metrics.recall_score(y, said, sample_weight=w),
            "f1": metrics.f1_score(y, said, sample_weight=w),
            "mcc": metrics.matthews_corrcoef(y, said, sample_weight=w),
            "roc_auc": metrics.roc_auc_score(y, p, sample_weight=w),
            "average_precision": metrics.average_precision_score(y, p, sample_weight=w),
            "log_loss": metrics.log_loss(y, p, sample_weight=w),
            "brier": metrics.brier_score_loss(y, p, sample_weight=w),
        }
        for name, value in known.items():
            assert each.metrics[name].value == pytest.approx(value, abs=EXACT), name
            assert each.metrics[name].interval.low < value < each.metrics[name].interval.high


def test_weights_of_one_give_the_values_and_intervals_of_no_weights(tmp_path: Path) -> None:
    plain, weighted = measured(tmp_path, table_of()), measured(tmp_path, table_of(), weight="one")
    for one, other in zip(plain, weighted, strict=True):
        assert one.metrics.keys() == other.metrics.keys()
        for name, estimate in one.metrics.items():
            assert other.metrics[name].value == pytest.approx(estimate.value, abs=EXACT), name
            ends = [(e.interval.low, e.interval.high) for e in (estimate, other.metrics[name])]
            assert ends[0] == pytest.approx(ends[1], abs=1e-3), name


def test_repeating_rows_within_clusters_does_not_make_anything_more_certain(tmp_path: Path) -> None:
    table = table_of(400)
    often = {name: np.repeat(values, 5) for name, values in table.items()} | {"user": np.repeat(np.arange(400), 5)}
    once = measured(tmp_path, table)[0].metrics
    naive = measured(tmp_path, often)[0].metrics
    clustered = measured(tmp_path, often, cluster="user")[0].metrics
    for name, estimate in clustered.items():
        if estimate.interval is None:
            continue
        width = estimate.interval.high - estimate.interval.low
        assert estimate.value == pytest.approx(once[name].value, abs=EXACT)
        assert width == pytest.approx(once[name].interval.high - once[name].interval.low, rel=0.12), name
        assert width > 1.7 * (naive[name].interval.high - naive[name].interval.low), name


def test_clusters_may_be_words(tmp_path: Path) -> None:
    found = measured(tmp_path, table_of(), cluster="user", calibration=True)
    assert all(each.metrics["accuracy"].interval.low > 0 for each in found)


def test_one_cluster_says_nothing_about_how_certain_a_value_is(tmp_path: Path) -> None:
    table = table_of(50) | {"user": np.zeros(50)}
    found = measured(tmp_path, table, cluster="user")[0].metrics
    assert (found["accuracy"].interval.low, found["accuracy"].interval.high) == (0, 1)
    assert (found["roc_auc"].interval.low, found["roc_auc"].interval.high) == (0, 1)


def test_a_negative_weight_is_refused_with_its_row(tmp_path: Path) -> None:
    table = table_of(50)
    table["w"][7] = -1
    with pytest.raises(PredictionsUnreadable, match="`w` is negative in row 8"):
        measured(tmp_path, table, weight="w")


@pytest.mark.parametrize("absurd", [5e-324, 1e-101, 1e101])
def test_a_weight_whose_square_is_no_number_is_refused_with_its_row(tmp_path: Path, absurd: float) -> None:
    table = table_of(50)
    table["w"][7] = absurd
    with pytest.raises(PredictionsUnreadable, match="in row 8: it cannot be reckoned with"):
        measured(tmp_path, table, weight="w")


def test_weights_that_are_all_zero_leave_everything_undefined(tmp_path: Path) -> None:
    found = measured(tmp_path, table_of(50) | {"w": np.zeros(50)}, weight="w", calibration=True)[0].metrics
    assert {name for name, estimate in found.items() if estimate.value is not None} == set()


def test_the_calibration_line_is_that_of_statsmodels(tmp_path: Path) -> None:
    table = table_of()
    found = measured(tmp_path, table, calibration=True)[0].metrics
    odds = np.log(table["p"] / (1 - table["p"]))
    known = sm.Logit(table["y"], sm.add_constant(odds)).fit(disp=0, cov_type="HC0")
    assert found["calibration_intercept"].value == pytest.approx(known.params[0], rel=1e-7)
    assert found["calibration_slope"].value == pytest.approx(known.params[1], rel=1e-7)
    ends = found["calibration_slope"].interval
    assert (ends.low, ends.high) == pytest.approx(tuple(known.conf_int()[1]), rel=3e-3)


def test_the_equal_mass_calibration_error_is_scikit_learns_quantile_calibration_curve(tmp_path: Path) -> None:
    from sklearn.calibration import calibration_curve

    table = table_of(1000)
    table["p"] = np.random.default_rng(1).permutation(np.linspace(0.01, 0.99, 1000))
    share, claimed = calibration_curve(table["y"], table["p"], n_bins=10, strategy="quantile")
    found = measured(tmp_path, table, calibration=True)[0].metrics["ece"]
    assert found.value == pytest.approx(np.mean(np.abs(share - claimed)), abs=EXACT)
    assert found.interval.low < found.value


def test_a_perfectly_separated_calibration_line_is_undefined_and_not_enormous(tmp_path: Path) -> None:
    table = {"y": [0, 0, 0, 1, 1, 1], "p": [0.1, 0.2, 0.3, 0.7, 0.8, 0.9], "g": ["a"] * 6}
    found = measured(tmp_path, table, calibration=True)[0].metrics
    assert found["calibration_slope"].value is None

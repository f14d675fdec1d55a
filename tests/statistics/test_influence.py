"""What each row moves a statistic by, beside derivatives by steps, scikit-learn and the bootstrap of rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from mlops_action.metrics.predictions.calibration import Claims, line_influences
from mlops_action.metrics.predictions.loss_differences import f1_over_labels
from mlops_action.metrics.predictions.multiclass import STATISTICS, of_margins
from mlops_action.statistics.delong import weighted_area
from mlops_action.statistics.influence import Influences, average_precision, of_counts, of_ratio, on_logit
from mlops_action.statistics.means import Mean

ROWS = 400
STREAM = np.random.default_rng(11)
LABELS = STREAM.random(ROWS) < 0.3
SCORES = np.round(LABELS + STREAM.normal(size=ROWS), 1)
WEIGHTS = STREAM.uniform(0.5, 2, ROWS)
CLASSES = STREAM.integers(0, 3, ROWS)
SAID = np.where(STREAM.random(ROWS) < 0.6, CLASSES, STREAM.integers(0, 3, ROWS))
SEVERAL = STREAM.random((ROWS, 3)) < (0.2, 0.5, 0.3)
GUESSED = SEVERAL ^ (STREAM.random((ROWS, 3)) < 0.2)
CHANCES = np.clip(1 / (1 + np.exp(1 - 2 * LABELS + STREAM.normal(size=ROWS))), 0.01, 0.99)

Statistic = Callable[[Any], Influences]


def over_classes(metric: str) -> Statistic:
    members = (np.where(SAID == CLASSES, CLASSES, -1), 3 + CLASSES, 6 + SAID)
    return lambda weights: of_counts(of_margins(metric, 3), 9, members, weights)


def of_line(place: int) -> Statistic:
    def fitted(weights: Any) -> Influences:
        found = line_influences(Claims(LABELS.astype(float), CHANCES, weights))
        assert found is not None
        return found[place]

    return fitted


KNOWN: dict[str, Statistic] = {
    "average precision": lambda weights: average_precision(LABELS, SCORES, weights),
    "roc auc": lambda weights: weighted_area(LABELS, SCORES, weights),
    "ratio": lambda weights: of_ratio(SCORES * LABELS, LABELS.astype(float), weights),
    "micro f1": lambda weights: f1_over_labels(SEVERAL, GUESSED, weights, each_label=False),
    "macro f1 of labels": lambda weights: f1_over_labels(SEVERAL, GUESSED, weights, each_label=True),
    "calibration intercept": of_line(0),
    "calibration slope": of_line(1),
} | {name: over_classes(name) for name in STATISTICS}


@pytest.mark.parametrize("name", KNOWN)
def test_a_row_moves_a_statistic_by_its_weight_times_the_derivative(name: str) -> None:
    found = KNOWN[name](WEIGHTS)
    for row in (0, 7, 100, 399):
        step = np.zeros(ROWS)
        step[row] = 1e-5
        more, less = (KNOWN[name](WEIGHTS + sign * step).value for sign in (1, -1))
        assert found.rows[row] == pytest.approx(WEIGHTS[row] * (more - less) / 2e-5, rel=1e-4, abs=1e-9), row
    assert found.rows.sum() == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("name", KNOWN)
def test_the_variance_is_that_of_the_bootstrap_of_rows(name: str) -> None:
    stream = np.random.default_rng(12)
    times = [np.bincount(stream.integers(0, ROWS, ROWS), minlength=ROWS).astype(float) for _ in range(400)]
    drawn = [KNOWN[name](each if name != "roc auc" else np.maximum(each, 1e-9)).value for each in times]
    assert math.sqrt(KNOWN[name](np.ones(ROWS)).mean().variance) == pytest.approx(np.std(drawn), rel=0.15)


def test_the_statistics_are_scikit_learns_with_ties_and_weights() -> None:
    theirs = {
        "average precision": metrics.average_precision_score(LABELS, SCORES, sample_weight=WEIGHTS),
        "roc auc": metrics.roc_auc_score(LABELS, SCORES, sample_weight=WEIGHTS),
        "micro f1": metrics.f1_score(SEVERAL, GUESSED, average="micro", sample_weight=WEIGHTS),
        "macro f1 of labels": metrics.f1_score(SEVERAL, GUESSED, average="macro", sample_weight=WEIGHTS),
        "macro_f1": metrics.f1_score(CLASSES, SAID, average="macro", sample_weight=WEIGHTS),
        "balanced_accuracy": metrics.recall_score(CLASSES, SAID, average="macro", sample_weight=WEIGHTS),
        "mcc": metrics.matthews_corrcoef(CLASSES, SAID, sample_weight=WEIGHTS),
    }
    for name, value in theirs.items():
        assert KNOWN[name](WEIGHTS).value == pytest.approx(value, abs=1e-9), name


def test_rows_that_repeat_each_other_say_as_much_as_one_of_them() -> None:
    clusters = np.repeat(np.arange(ROWS), 3)
    once = average_precision(LABELS, SCORES).mean()
    thrice = average_precision(*(np.repeat(each, 3) for each in (LABELS, SCORES))).mean(clusters)
    assert (thrice.value, thrice.variance) == pytest.approx((once.value, once.variance), rel=1e-9)
    assert thrice.freedom == once.freedom == ROWS - 1


def test_equal_models_have_a_difference_of_0_that_is_sure() -> None:
    found = KNOWN["average precision"](WEIGHTS).minus(KNOWN["average precision"](WEIGHTS)).mean()
    assert (found.value, found.variance) == (0, 0)


@pytest.mark.parametrize("labels", [np.zeros(4, bool), np.zeros(0, bool)])
def test_no_positives_no_average_precision(labels: Any) -> None:
    found = average_precision(labels, np.arange(labels.size, dtype=float))
    assert math.isnan(found.value)
    assert found.mean().interval() == Mean(math.nan, math.nan, 0).interval()


def test_one_unit_tells_nothing_of_others() -> None:
    one = Influences(0.5, np.array([0.1, -0.1]), units=1)
    assert one.mean().interval().low == -math.inf


@pytest.mark.parametrize("share", [0.0, 1.0, math.nan])
def test_a_share_at_an_end_of_the_logit_scale_tells_nothing(share: float) -> None:
    assert (on_logit(Mean(share, 0.0, 9))(0.95).low, on_logit(Mean(share, 0.0, 9))(0.95).high) == (0, 1)


def test_a_share_on_the_logit_scale_keeps_within_0_and_1() -> None:
    found = on_logit(Mean(0.98, 0.0004, 30))(0.99)
    assert 0 < found.low < 0.98 < found.high < 1

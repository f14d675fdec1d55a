"""Metrics of the four outcomes of binary classification, each with its interval and its denominator."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.estimate import Estimate, known, share_of
from mlops_action.statistics.proportions import mover, wilson
from mlops_action.statistics.resampling import bootstrap_of, cells_at
from mlops_action.statistics.results import At, Interval, mapped

RESAMPLES = 9999
"""So many that a p-value of a slice is small enough to be found among many others."""


@frozen
class Outcomes:
    """Rows by truth and prediction, in the order of 2 · truth + prediction; effective rows where they are weighted."""

    true_negatives: float
    false_positives: float
    false_negatives: float
    true_positives: float

    @property
    def rows(self) -> float:
        """All rows."""
        return self.true_negatives + self.false_positives + self.false_negatives + self.true_positives

    def as_dict(self) -> dict[str, float]:
        """The counts by name."""
        return dict(vars(self))


def outcome_metrics(o: Outcomes, slice_name: str, level: float) -> dict[str, Estimate]:
    """Accuracy and everything else that follows from the four counts (scikit-learn's definitions).

    Proportions have Wilson's interval; balanced accuracy that of a sum of two (Zou & Donner 2008); F1 that of
    TP / (TP + FP + FN), of which it is a monotone function (Hand, Christen & Kirielle 2021); MCC has the bootstrap of
    cells.
    """
    positives, negatives = o.true_positives + o.false_negatives, o.true_negatives + o.false_positives
    right, claimed = o.true_positives + o.true_negatives, o.true_positives + o.false_positives
    share = partial(share_of, level=level)
    return {
        "accuracy": share(right, o.rows, "rows"),
        "balanced_accuracy": _balanced(o, level),
        "precision": share(o.true_positives, claimed, "predicted positives"),
        "recall": share(o.true_positives, positives, "positives"),
        "false_negative_rate": share(o.false_negatives, positives, "positives"),
        "specificity": share(o.true_negatives, negatives, "negatives"),
        "false_positive_rate": share(o.false_positives, negatives, "negatives"),
        "prevalence": share(positives, o.rows, "rows"),
        "selection_rate": share(claimed, o.rows, "rows"),
        "f1": _f1(o, level),
        "f0.5": f_beta(o, 0.5, slice_name, level),
        "f2": f_beta(o, 2, slice_name, level),
        "mcc": _mcc(o, slice_name, level),
    }


def f_beta(o: Outcomes, beta: float, slice_name: str, level: float) -> Estimate:
    """F-beta with the bootstrap of cells; F1 has a closed form, see ``outcome_metrics``."""
    square = beta * beta
    hits = (1 + square) * o.true_positives
    below = hits + square * o.false_negatives + o.false_positives
    if not below > 0:
        return Estimate(None, below, "positives or predicted positives")
    at = _bootstrapped(o, partial(f_beta_of, beta), (f"f{beta:g}", slice_name))
    return Estimate(hits / below, below, "weighted errors and hits", at, level)


def f_beta_of(beta: float, cells: Any) -> Any:
    """F-beta from counts (…, cells); NaN without positives, true or predicted."""
    square = beta * beta
    hits = (1 + square) * cells[..., 3]
    with np.errstate(invalid="ignore"):
        return hits / (hits + square * cells[..., 2] + cells[..., 1])


def _balanced(o: Outcomes, level: float) -> Estimate:
    positives, negatives = o.true_positives + o.false_negatives, o.true_negatives + o.false_positives
    if not positives > 0 or not negatives > 0:
        return Estimate(None, min(positives, negatives), "rows of the rarer class")
    recall, specificity = o.true_positives / positives, o.true_negatives / negatives

    def at(asked: float) -> Interval:
        # recall + specificity = recall - (false positive rate) + 1
        raised = wilson(o.false_positives, negatives, asked)
        own = wilson(o.true_positives, positives, asked)
        return mover((recall, own), (1 - specificity, raised), asked, "mover-wilson")

    middle = (recall + specificity) / 2
    halved = mapped(at, lambda end: (1 + end) / 2)
    return known(middle, min(positives, negatives), "rows of the rarer class", halved, level)


def _f1(o: Outcomes, level: float) -> Estimate:
    union = o.true_positives + o.false_positives + o.false_negatives
    if not union > 0:
        return Estimate(None, union, "positives or predicted positives")
    at = mapped(lambda asked: wilson(o.true_positives, union, asked), lambda end: 2 * end / (1 + end), "wilson-f-star")
    value = 2 * o.true_positives / (union + o.true_positives)
    return Estimate(value, union, "positives or predicted positives", at, level)


def _mcc(o: Outcomes, slice_name: str, level: float) -> Estimate:
    value = float(mcc_of(np.array(tuple(vars(o).values()), dtype=float)))
    margins = (
        o.true_positives + o.false_negatives,
        o.true_negatives + o.false_positives,
        o.true_positives + o.false_positives,
        o.true_negatives + o.false_negatives,
    )
    if math.isnan(value):
        return Estimate(None, min(margins), "rows of the rarest class, true or predicted")
    at = _bootstrapped(o, mcc_of, ("mcc", slice_name))
    return Estimate(value, min(margins), "rows of the rarest class, true or predicted", at, level)


def mcc_of(cells: Any) -> Any:
    """Matthews correlation from counts (…, cells); NaN where a class, true or predicted, has no rows."""
    tn, fp, fn, tp = (cells[..., place].astype(np.float64) for place in range(4))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (tp * tn - fp * fn) / (np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn)))


def _bootstrapped(o: Outcomes, statistic: Callable[[Any], Any], purpose: tuple[str, str]) -> At:
    counts = np.round(np.array(tuple(vars(o).values()), dtype=float))
    return cells_at(counts, statistic, bootstrap_of(*purpose, resamples=RESAMPLES))

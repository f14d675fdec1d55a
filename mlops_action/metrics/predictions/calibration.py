"""Are probabilities what they say? Expected calibration error over equal masses, and the calibration line."""

from __future__ import annotations

import math

import numpy as np

from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.estimate import Estimate
from mlops_action.statistics.clusters import Codes, Floats
from mlops_action.statistics.influence import Influences
from mlops_action.statistics.resampling import Bootstrap, clusters_at, rows_at
from mlops_action.statistics.results import At

BINS = 10
RESAMPLES = 200
LINE = ("calibration_intercept", "calibration_slope")
_STEPS = 50


@frozen
class Claims:
    """Rows of one slice: truth (0 or 1), probability, weight, and clusters or None; each of shape (rows,)."""

    truth: Floats
    probability: Floats
    weights: Floats
    clusters: Codes | None = None

    def among(self, rows: Codes) -> Claims:
        """Those of some rows, as often as they are named; each one a unit of its own."""
        return Claims(self.truth[rows], self.probability[rows], self.weights[rows])


def expected_error(claims: Claims, bins: int = BINS) -> float:
    """The ECE over bins of equal mass (Nixon et al. 2019): weighted mean of |share of positives - mean probability|.

    Rows of one probability stay in one bin, so that the order of rows cannot matter.
    """
    if not claims.weights.sum() > 0:
        return math.nan
    order = np.argsort(claims.probability, kind="stable")
    p, y, w = claims.probability[order], claims.truth[order], claims.weights[order]
    first = np.flatnonzero(np.concatenate(([True], p[1:] != p[:-1])))
    before = np.concatenate(([0.0], np.cumsum(np.add.reduceat(w, first))[:-1]))
    group = np.minimum((before / w.sum() * bins).astype(np.int64), bins - 1)
    member = np.repeat(group, np.diff(first, append=p.size))
    gaps = np.bincount(member, weights=w * (y - p), minlength=bins)
    return float(np.abs(gaps).sum() / w.sum())


def error_estimate(claims: Claims, how: Bootstrap, level: float) -> Estimate:
    """The ECE with its bootstrap interval. It is biased upwards on few rows: compare like numbers of rows only."""

    def of(rows: Codes) -> float:
        return expected_error(claims.among(rows))

    rows = claims.truth.size
    at = rows_at(rows, of, how) if claims.clusters is None else clusters_at(claims.clusters, of, how)
    return Estimate(expected_error(claims), rows, "rows", at, level)


def error_difference(one: Claims, other: Claims, how: Bootstrap) -> tuple[float, At]:
    """The difference of two models' ECE on the same rows, with its bootstrap interval: both see each resample."""

    def of(rows: Codes) -> float:
        ours, theirs = (expected_error(each.among(rows)) for each in (one, other))
        return ours - theirs

    rows = one.truth.size
    at = rows_at(rows, of, how) if one.clusters is None else clusters_at(one.clusters, of, how)
    return expected_error(one) - expected_error(other), at


def line(claims: Claims, level: float) -> dict[str, Estimate]:
    """Intercept and slope of a logistic regression of the truth on the logit of the probability (Cox 1958).

    0 and 1 when the probabilities are right; a slope below 1 says that they are too extreme. Intervals are by the
    sandwich over rows or clusters. Undefined where the regression has no finite solution.
    """
    fitted, y = line_influences(claims), claims.truth
    if fitted is None:
        return {name: Estimate(None, min(y.sum(), y.size - y.sum()), "rows of the rarer class") for name in LINE}
    means = [each.mean(claims.clusters) for each in fitted]
    return {
        name: Estimate(mean.value, y.size, "rows", mean.interval, level) for name, mean in zip(LINE, means, strict=True)
    }


def line_influences(claims: Claims) -> tuple[Influences, Influences] | None:
    """Intercept and slope with what each row moves them by; None where the regression has no finite solution."""
    odds = np.clip(claims.probability, 1e-15, 1 - 1e-15)
    design = np.stack([np.ones(odds.size), np.log(odds / (1 - odds))])
    w, y = claims.weights, claims.truth
    beta = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(beta[0] + beta[1] * design[1], -700, 700)))
        curve = w * fitted * (1 - fitted)
        information = np.array([[(curve * a * b).sum() for a in design] for b in design])
        if not np.linalg.cond(information) < 1e14:
            return None
        scores = design * (w * (y - fitted))
        step = np.linalg.solve(information, scores.sum(axis=1))
        beta = beta + step
        if np.abs(step).max() < 1e-12 * (1 + np.abs(beta).max()):
            intercept, slope = np.linalg.solve(information, scores)
            return Influences(float(beta[0]), intercept), Influences(float(beta[1]), slope)
    return None

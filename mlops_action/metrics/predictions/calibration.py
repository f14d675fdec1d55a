"""Are probabilities what they say? Expected calibration error over equal masses, and the calibration line."""

from __future__ import annotations

import math

import numpy as np

from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.estimate import Estimate
from mlops_action.statistics.clusters import Codes, Floats, sums
from mlops_action.statistics.means import Mean
from mlops_action.statistics.resampling import Bootstrap, clusters_at, rows_at

BINS = 10
_STEPS = 50


@frozen
class Claims:
    """Rows of one slice: truth (0 or 1), probability, weight, and clusters or None; each of shape (rows,)."""

    truth: Floats
    probability: Floats
    weights: Floats
    clusters: Codes | None = None


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
        return expected_error(Claims(claims.truth[rows], claims.probability[rows], claims.weights[rows]))

    rows = claims.truth.size
    at = rows_at(rows, of, how) if claims.clusters is None else clusters_at(claims.clusters, of, how)
    return Estimate(expected_error(claims), rows, "rows", at, level)


def line(claims: Claims, level: float) -> dict[str, Estimate]:
    """Intercept and slope of a logistic regression of the truth on the logit of the probability (Cox 1958).

    0 and 1 when the probabilities are right; a slope below 1 says that they are too extreme. Intervals are by the
    sandwich over rows or clusters. Undefined where the regression has no finite solution.
    """
    odds = np.clip(claims.probability, 1e-15, 1 - 1e-15)
    design = np.stack([np.ones(odds.size), np.log(odds / (1 - odds))])
    w, y = claims.weights, claims.truth
    beta, information = np.array([0.0, 1.0]), np.eye(2)
    converged = False
    for _ in range(_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(beta[0] + beta[1] * design[1], -700, 700)))
        curve = w * fitted * (1 - fitted)
        information = np.array([[(curve * a * b).sum() for a in design] for b in design])
        if not np.linalg.cond(information) < 1e14:
            break
        step = np.linalg.solve(information, (design * (w * (y - fitted))).sum(axis=1))
        beta = beta + step
        if np.abs(step).max() < 1e-12 * (1 + np.abs(beta).max()):
            converged = True
            break
    names = ("calibration_intercept", "calibration_slope")
    if not converged:
        return {name: Estimate(None, min(y.sum(), y.size - y.sum()), "rows of the rarer class") for name in names}
    means = _sandwich(claims, beta, (design, information))
    return {
        name: Estimate(mean.value, y.size, "rows", mean.interval, level)
        for name, mean in zip(names, means, strict=True)
    }


def _sandwich(claims: Claims, beta: Floats, fit: tuple[Floats, Floats]) -> list[Mean]:
    design, information = fit
    fitted = 1 / (1 + np.exp(-(beta[0] + beta[1] * design[1])))
    scores = [claims.weights * (claims.truth - fitted) * each for each in design]
    if claims.clusters is not None:
        scores = [sums(claims.clusters, each) for each in scores]
    units = scores[0].size if claims.clusters is None else int(np.unique(claims.clusters).size)
    middle = np.array([[(a * b).sum() for a in scores] for b in scores])
    bread = np.linalg.inv(information)
    covariance = bread.dot(middle).dot(bread) * (units / (units - 1) if units > 1 else np.nan)
    return [Mean(float(beta[place]), float(covariance[place, place]), units - 1) for place in range(2)]

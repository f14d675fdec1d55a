"""Rows that are not independent (several of one user, one document): what they are worth.

Means take the sandwich variance over clusters; proportions a design effect, so that score intervals keep their shape;
``delong`` sums its components by cluster; ``resampling``, ``cells`` and ``permutation`` draw whole clusters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.statistics.distributions import student_quantile
from mlops_action.statistics.means import Mean
from mlops_action.statistics.results import LEVEL, tail

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def codes_of(ids: npt.NDArray[Any]) -> Codes:
    """Number the clusters 0 … G-1; ``ids`` is any array of shape (rows,)."""
    return np.unique(ids, return_inverse=True)[1].reshape(-1).astype(np.int64)


def sums(codes: Codes, values: Floats, clusters: int | None = None) -> Floats:
    """The sum of ``values`` (rows,) in each cluster, shape (clusters,)."""
    return np.bincount(codes, weights=values, minlength=clusters or 0).astype(np.float64, copy=False)


def mean_of(values: Floats, weights: Floats | None = None, clusters: Codes | None = None) -> Mean:
    """The (weighted) mean of rows with the sandwich variance (Liang & Zeger 1986, Biometrika 73:13).

    With the small-sample factor G / (G-1) and G-1 degrees of freedom, where G counts clusters, or rows without them.
    Without weights and clusters it is the usual mean with its standard error. Weights are those of survey sampling.

    Args:
        values: shape (rows,), finite.
        weights: shape (rows,), not negative; their unit does not matter.
        clusters: shape (rows,), numbered by ``codes_of``.
    """
    weighting = np.ones_like(values) if weights is None else weights
    total = float(weighting.sum())
    if not total > 0:
        return Mean(float("nan"), float("nan"), 0)
    centre = float((weighting * values).sum()) / total
    residual = weighting * (values - centre)
    grouped = residual if clusters is None else sums(clusters, residual)
    present = int(np.count_nonzero(weighting)) if clusters is None else int(np.unique(clusters[weighting > 0]).size)
    if present < 2:
        return Mean(centre, float("nan"), 0, present)
    variance = present / (present - 1) * float((grouped * grouped).sum()) / total**2
    return Mean(centre, variance, present - 1, present, _skewness(grouped, present))


def _skewness(deviations: Floats, count: int) -> float:
    """Third moment over the second's power 3/2; of the largest one's size, as powers of tiny numbers are 0."""
    largest = float(np.abs(deviations).max())
    if not largest > 0:
        return 0.0
    unit = deviations / largest
    second, third = (float((unit**power).sum()) / count for power in (2, 3))
    return third / math.sqrt(second) ** 3


def design_effect(values: Floats, clusters: Codes) -> float:
    """How many times fewer independent rows would say as much about the mean: the sandwich variance over the plain one.

    Never below 1, so that luck does not narrow an interval. Where all rows are alike there is nothing to estimate it
    from, and every cluster counts as one row (as if rows of a cluster repeated each other).
    """
    plain, sandwich = mean_of(values), mean_of(values, clusters=clusters)
    if not sandwich.freedom > 0 or not plain.freedom > 0:
        return float("inf")
    if not plain.variance:
        sizes = np.bincount(clusters).astype(np.float64)
        return float((sizes * sizes).sum() / sizes.sum())
    return max(1.0, sandwich.variance / plain.variance)


def effective_rows(values: Floats, clusters: Codes, level: float = LEVEL) -> float:
    """The number of independent rows that a proportion over clusters is worth; 0 when there is one cluster only.

    Rows / design effect, less for having few clusters: times (t_{rows-1} / t_{clusters-1})² (Korn & Graubard 1998,
    Survey Methodology 24:193; Rao & Scott 1992; Dean & Pagano 2015 recommend it with Wilson's interval, too).
    """
    count, beyond = int(np.unique(clusters).size), 1 - tail(level)
    if count < 2:
        return 0.0
    few = student_quantile(beyond, values.size - 1) / student_quantile(beyond, count - 1)
    return float(values.size / design_effect(values, clusters) * few**2)


def effective_of(mean: Mean, rows: float, level: float = LEVEL) -> float:
    """The effective rows of a share whose sandwich variance is known: share · (1 - share) / variance.

    At most ``rows``; where the share is 0 or 1 it is as many as there are independent units. Less for few clusters, as
    in ``effective_rows``.
    """
    if not mean.freedom > 0:
        return 0.0
    units = min(rows, mean.freedom + 1)
    found = min(rows, mean.value * (1 - mean.value) / mean.variance) if mean.variance > 0 else units
    beyond = 1 - tail(level)
    few = student_quantile(beyond, max(1.0, rows - 1)) / student_quantile(beyond, mean.freedom)
    return found * min(1.0, few) ** 2


def kish_rows(weights: Floats) -> float:
    """The number of equally weighted rows that weighted ones are worth: (Σw)² / Σw² (Kish 1965)."""
    squares = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def mcnemar_clustered(differences: Floats, clusters: Codes) -> Mean:
    """The paired difference of being right over clusters (Obuchowski 1998; Durkalski et al. 2003, Stat Med 22:2417).

    Args:
        differences: per row, candidate right - baseline right: -1, 0 or 1.
        clusters: shape (rows,).
    """
    return mean_of(differences, clusters=clusters)

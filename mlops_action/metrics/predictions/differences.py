"""The difference of two models that saw the same rows: what the differences of every task are made of."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from mlops_action.metrics.predictions.binary_labels import Truth
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.statistics.clusters import Codes, Floats, codes_of, design_effect, mean_of
from mlops_action.statistics.influence import Influences
from mlops_action.statistics.means import Mean
from mlops_action.statistics.paired import Pairs, mcnemar_worse, newcombe_paired
from mlops_action.statistics.permutation import sign_flips
from mlops_action.statistics.power import detectable_mean, detectable_paired
from mlops_action.statistics.quantity import Quantity
from mlops_action.statistics.results import At, Significance
from mlops_action.statistics.seeds import generator

MOST_PERMUTED = 2000
"""Up to this many rows a mean difference of losses is tested by permutation; beyond, the central limit holds well."""


class Shared:
    """Weights and clusters of the rows that both models saw."""

    def __init__(self, batch: Batch, roles: Roles) -> None:
        """Take them from the candidate's rows."""
        self.weights = batch.finite(roles.weight) if roles.weight else None
        self.clusters: Codes | None = None
        if roles.cluster:
            ids = batch.raw(roles.cluster)
            codes, _ = batch.coded(roles.cluster) if ids.type != "int64" else (batch.numbers(roles.cluster), None)
            self.clusters = codes_of(codes)

    def of(self, rows: Truth) -> tuple[Floats | None, Codes | None]:
        """Weights and clusters, numbered afresh, of some rows."""
        weights = None if self.weights is None else self.weights[rows]
        return weights, None if self.clusters is None else codes_of(self.clusters[rows])

    def mean(self, differences: Floats, rows: Truth) -> Mean:
        """The mean difference of some rows; ``differences`` is of all rows, shape (rows,)."""
        return mean_of(differences[rows], *self.of(rows))


def share_difference(ours: Truth, theirs: Truth, among: Truth, shared: Shared) -> Quantity:
    """The difference of two shares of the same rows.

    Newcombe's paired interval, with counts over the design effect where rows are clustered; McNemar's exact tests of no
    difference where they are not. Weighted rows: the mean of differences.

    Args:
        ours: which rows count for the candidate, shape (rows,).
        theirs: which count for the baseline.
        among: which rows the shares are of.
        shared: weights and clusters.
    """
    one, other = ours[among], theirs[among]
    differences = one.astype(np.float64) - other
    weights, clusters = shared.of(among)
    rows = int(one.size)
    if weights is not None:
        mean = mean_of(differences, weights, clusters)
        return Quantity(mean.value, mean.interval_within(-1, 1), rows, paired=True)
    table = np.bincount(one * 2 + other, minlength=4)
    pairs = Pairs(both=int(table[3]), candidate=int(table[2]), baseline=int(table[1]), neither=int(table[0]))
    if clusters is not None:
        effect = design_effect(differences, clusters)
        pairs = pairs.divided(effect)
        return Quantity(
            float(differences.mean()) if rows else float("nan"),
            lambda level: newcombe_paired(pairs, level),
            rows,
            paired=True,
            detectable=lambda alpha: detectable_paired(pairs.candidate + pairs.baseline, pairs.rows, alpha),
        )
    return difference_of_pairs(pairs, rows)


def difference_of_pairs(pairs: Pairs, rows: int) -> Quantity:
    """The difference of two shares of independent rows, from who was right how often."""
    turned = Pairs(pairs.both, pairs.baseline, pairs.candidate, pairs.neither)
    return Quantity(
        pairs.difference,
        lambda level: newcombe_paired(pairs, level),
        rows,
        paired=True,
        from_zero=(lambda: mcnemar_worse(pairs), lambda: mcnemar_worse(turned)),
        detectable=lambda alpha: detectable_paired(pairs.candidate + pairs.baseline, rows, alpha),
    )


def loss_difference(differences: Floats, rows: Truth, shared: Shared, purpose: tuple[str, str]) -> Quantity:
    """The mean difference of per-row losses.

    Args:
        differences: candidate - baseline of each row, shape (rows,).
        rows: which rows.
        shared: weights and clusters.
        purpose: metric and slice, for the seed.
    """
    return mean_difference(differences[rows], *shared.of(rows), purpose=purpose)


def mean_difference(
    differences: Floats, weights: Floats | None = None, clusters: Codes | None = None, *, purpose: tuple[str, str]
) -> Quantity:
    """The mean of differences (rows,): Student's interval; a permutation test of no difference for few rows."""
    mean, tests = mean_of(differences, weights, clusters), None
    if 0 < differences.size <= MOST_PERMUTED and weights is None and np.isfinite(mean.value):
        tests = (
            partial(_flipped, differences, clusters, purpose, -1),
            partial(_flipped, differences, clusters, purpose, 1),
        )
    return replace(paired_mean(mean, mean.interval, differences.size), from_zero=tests)


def linear_difference(
    one: Influences, other: Influences, clusters: Codes | None = None, *, units: float = math.inf, most: float = 1
) -> Quantity | None:
    """The difference of two statistics of the same rows, from what each row moves both by.

    None where no row moves either, as when both are perfect: that says nothing of other rows.

    Args:
        one: of the candidate.
        other: of the baseline.
        clusters: shape (rows,).
        units: those of the class that tells most, where the statistics do not say.
        most: the largest difference that there can be.
    """
    difference = one.minus(other)
    mean = replace(difference, units=min(units, difference.units)).mean(clusters)
    if not one.rows.any() and not other.rows.any():
        return None
    return paired_mean(mean, mean.interval_within(-most, most), one.rows.size)


def paired_mean(mean: Mean, at: At, rows: int) -> Quantity:
    """A difference that behaves like a mean, with its interval."""
    return Quantity(mean.value, at, rows, paired=True, detectable=lambda alpha: detectable_mean(mean.variance, alpha))


def _flipped(differences: Floats, clusters: Codes | None, purpose: tuple[str, str], way: int) -> Significance:
    """One side of the permutation test, which is symmetric: half of the two-sided p-value on the side of the mean."""
    both = sign_flips(differences, generator(*purpose, "permutation"), clusters)
    on_side = way * differences.sum() > 0
    return Significance(both.p_value / 2 if on_side else 1 - both.p_value / 2, both.statistic, both.method)

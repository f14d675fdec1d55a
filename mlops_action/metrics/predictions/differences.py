"""The difference of two models of a binary task, seen on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mlops_action.metrics.predictions.binary import EPSILON
from mlops_action.metrics.predictions.binary_labels import BinaryLabels, Truth
from mlops_action.metrics.predictions.binary_metrics import RESAMPLES, f_beta_of, mcc_of
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.statistics.clusters import Codes, Floats, codes_of, design_effect, mean_of
from mlops_action.statistics.delong import auc_difference
from mlops_action.statistics.means import Mean
from mlops_action.statistics.paired import Pairs, mcnemar_worse, newcombe_paired
from mlops_action.statistics.permutation import sign_flips
from mlops_action.statistics.power import detectable_mean, detectable_paired
from mlops_action.statistics.quantity import Quantity
from mlops_action.statistics.resampling import bootstrap_of, cells_at
from mlops_action.statistics.results import Significance
from mlops_action.statistics.seeds import generator

OF_CLUSTERS = 2000
MOST_PERMUTED = 2000
"""Up to this many rows a mean difference of losses is tested by permutation; beyond, the central limit holds well."""


def _precision(cells: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return cells[..., 3] / (cells[..., 3] + cells[..., 1])


def _balanced(cells: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        negatives, positives = cells[..., 0] + cells[..., 1], cells[..., 2] + cells[..., 3]
        return (cells[..., 0] / negatives + cells[..., 3] / positives) / 2


OF_CELLS: dict[str, Callable[[Any], Any]] = {
    "precision": _precision,
    "balanced_accuracy": _balanced,
    "mcc": mcc_of,
    "f1": partial(f_beta_of, 1),
    "f0.5": partial(f_beta_of, 0.5),
    "f2": partial(f_beta_of, 2),
}
"""Statistics of the four outcomes that are no shares of the same rows for both models."""


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


class BinaryDifferences:
    """Differences of every metric that has a paired method, for any set of rows."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models; truth, weights and clusters are the candidate's."""
        labels = BinaryLabels(roles.positive)
        self._truth = labels.positive(candidate, roles.label)
        self._scores = [batch.finite(roles.score) if roles.score else None for batch in (candidate, baseline)]
        said = []
        for batch, scores in zip((candidate, baseline), self._scores, strict=True):
            if roles.prediction:
                said.append(labels.positive(batch, roles.prediction))
            else:
                assert scores is not None  # noqa: S101 - roles have a score or a prediction
                said.append(scores >= roles.threshold)
        self._said = said
        self._shared = Shared(candidate, roles)
        self._differences: dict[str, Floats] = {}

    def of(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        """The difference of a metric on some rows, or None where no paired method is known.

        Args:
            metric: its name.
            name: of the slice, for the seed.
            rows: which rows, shape (rows,).
        """
        share = self._share(metric)
        if share is not None:
            ours, theirs, among = share
            return share_difference(ours, theirs, among & rows, self._shared)
        if metric in OF_CELLS and self._shared.weights is None:
            return self._of_cells(metric, name, rows)
        if self._scores[0] is None or self._scores[1] is None:
            return None
        if metric == "roc_auc" and self._shared.weights is None:
            return self._areas(rows)
        if metric in {"log_loss", "brier"}:
            if metric not in self._differences:
                losses = [self._losses(metric, scores) for scores in self._scores if scores is not None]
                self._differences[metric] = losses[0] - losses[1]
            return loss_difference(self._differences[metric], rows, self._shared, (metric, name))
        return None

    def _share(self, metric: str) -> tuple[Truth, Truth, Truth] | None:
        y, everything = self._truth, np.ones(self._truth.size, bool)
        one, other = self._said
        shares = {
            "accuracy": (y == one, y == other, everything),
            "recall": (one, other, y),
            "false_negative_rate": (~one, ~other, y),
            "specificity": (~one, ~other, ~y),
            "false_positive_rate": (one, other, ~y),
            "selection_rate": (one, other, everything),
        }
        return shares.get(metric)

    def _of_cells(self, metric: str, name: str, rows: Truth) -> Quantity | None:
        codes = (self._truth * 4 + self._said[0] * 2 + self._said[1])[rows]
        of = OF_CELLS[metric]

        def difference(cells: Any) -> Any:
            table = np.asarray(cells, np.float64).reshape(*cells.shape[:-1], 2, 2, 2)
            both = table.sum(axis=-1), table.sum(axis=-2)
            ours, theirs = (each.reshape(*cells.shape[:-1], 4) for each in both)
            return of(ours) - of(theirs)

        clusters = self._shared.of(rows)[1]
        if clusters is None:
            counts, draws = np.bincount(codes, minlength=8), RESAMPLES
        else:
            groups = int(clusters.max()) + 1 if clusters.size else 0
            counts, draws = np.bincount(clusters * 8 + codes, minlength=8 * groups).reshape(-1, 8), OF_CLUSTERS
        estimate = float(difference(counts if clusters is None else counts.sum(axis=0)))
        how = bootstrap_of(metric, name, "difference", resamples=draws)
        return Quantity(estimate, cells_at(counts, difference, how), codes.size, paired=True)

    def _areas(self, rows: Truth) -> Quantity:
        one, other = (scores[rows] for scores in self._scores if scores is not None)
        mean = auc_difference(self._truth[rows], one, other, self._shared.of(rows)[1])
        count = int(np.count_nonzero(rows))
        return Quantity(
            mean.value,
            mean.interval_within(-1, 1),
            count,
            paired=True,
            detectable=lambda alpha: detectable_mean(mean.variance, alpha),
        )

    def _losses(self, metric: str, scores: Floats) -> Floats:
        if scores.size and (scores.min() < 0 or scores.max() > 1):
            return np.full(scores.size, np.nan)
        right = np.where(self._truth, scores, 1 - scores)
        return (1 - right) ** 2 if metric == "brier" else -np.log(np.clip(right, EPSILON, 1 - EPSILON))


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
    """The mean difference of per-row losses: Student's interval; a permutation test of no difference for few rows.

    Args:
        differences: candidate - baseline of each row, shape (rows,).
        rows: which rows.
        shared: weights and clusters.
        purpose: metric and slice, for the seed.
    """
    mean = shared.mean(differences, rows)
    count = int(np.count_nonzero(rows))
    tests = None
    if 0 < count <= MOST_PERMUTED and shared.weights is None and np.isfinite(mean.value):
        chosen, clusters = differences[rows], shared.of(rows)[1]
        tests = (partial(_flipped, chosen, clusters, purpose, -1), partial(_flipped, chosen, clusters, purpose, 1))
    return Quantity(
        mean.value,
        mean.interval,
        count,
        paired=True,
        from_zero=tests,
        detectable=lambda alpha: detectable_mean(mean.variance, alpha),
    )


def _flipped(differences: Floats, clusters: Codes | None, purpose: tuple[str, str], way: int) -> Significance:
    """One side of the permutation test, which is symmetric: half of the two-sided p-value on the side of the mean."""
    both = sign_flips(differences, generator(*purpose, "permutation"), clusters)
    on_side = way * differences.sum() > 0
    return Significance(both.p_value / 2 if on_side else 1 - both.p_value / 2, both.statistic, both.method)

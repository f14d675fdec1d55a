"""Ranking: NDCG@k, mean reciprocal rank and MAP@k, as means over queries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_action.errors import PredictionsUnreadable
from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.differences import mean_difference
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known
from mlops_action.metrics.predictions.held import Held
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer
from mlops_action.statistics.clusters import Codes, Floats, mean_of
from mlops_action.statistics.quantity import Quantity

CUTS = (1, 5, 10)
Integers = npt.NDArray[np.int64]


class Ranking:
    """Takes batches; gives the metrics of all slices. A query's rows may be anywhere in the file.

    Queries, not rows, are what is independent, so intervals are those of means over queries. A query without a relevant
    row (label above 0) has no such metric; the denominator says how many have.
    """

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        self._roles = roles
        self._held = Held(roles, slicer)
        self._queries: list[pa.Array] = []

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""
        labels = batch.finite(self._roles.label)
        if labels.min() < 0:
            row = batch.first + int(np.argmin(labels))
            raise PredictionsUnreadable(
                f"`{self._roles.label}` is negative in row {row}", origin=batch.origin, hint="relevance is 0 or more"
            )
        self._queries.append(batch.raw(self._roles.query))
        self._held.add(batch, {"labels": labels, "scores": batch.finite(self._roles.score)})

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        queries = _numbered(pa.concat_arrays(self._queries))
        found = []
        for name, chosen in self._held.slices():
            data, _, _ = self._held.rows(chosen)
            rows = _ranked(queries[chosen], data["labels"], data["scores"])
            found.append(SliceMetrics(name, int(chosen.sum()), _metrics(rows, level)))
        return found


def _numbered(queries: pa.Array) -> Integers:
    """A number for each row's query, shape (rows,)."""
    numbers = queries.dictionary_encode().indices.cast(pa.int64())
    return np.frombuffer(numbers.buffers()[1], np.int64, count=len(numbers))


class RankingDifferences:
    """Differences of means over the queries that both models ranked."""

    def __init__(self, candidate: Batch, baseline: Batch, roles: Roles) -> None:
        """Take the same rows of both models."""
        self._queries = _numbered(candidate.raw(roles.query))
        self._labels = candidate.finite(roles.label)
        self._scores = [batch.finite(roles.score) for batch in (candidate, baseline)]

    def of(self, metric: str, name: str, rows: npt.NDArray[np.bool_]) -> Quantity | None:
        """The difference of a metric on some rows, or None where no paired method is known."""
        if not rows.any():
            return None
        one, other = (_ranked(self._queries[rows], self._labels[rows], scores[rows]) for scores in self._scores)
        ours, theirs = (_by_query(each).get(metric) for each in (one, other))
        if ours is None or theirs is None:
            return None
        judged = _judged(one)
        return mean_difference(ours[judged] - theirs[judged], purpose=(metric, name))


@frozen
class _Ranked:
    """Rows by query, best score first; each of shape (rows,)."""

    query: Codes
    label: Floats
    place: Integers
    """From 1 within the query; rows of one score share the worst place of theirs."""
    tie: Integers
    """Numbers the rows of one query and score alike."""
    order: Integers
    """From 1 within the query, ties in any order."""
    queries: int


def _ranked(query: Integers, label: Floats, score: Floats) -> _Ranked:
    order = np.lexsort((-score, query))
    query = np.unique(query[order], return_inverse=True)[1].reshape(-1).astype(np.int64)
    label, score = label[order], score[order]
    begins = np.flatnonzero(np.concatenate(([True], query[1:] != query[:-1])))
    place = np.arange(1, query.size + 1) - np.repeat(begins, np.diff(begins, append=query.size))
    changes = np.concatenate(([True], (query[1:] != query[:-1]) | (score[1:] != score[:-1])))
    tie = np.cumsum(changes) - 1
    last = np.append(np.flatnonzero(changes)[1:], query.size) - 1
    return _Ranked(query, label, place[last][tie], tie, place, begins.size)


def _metrics(rows: _Ranked, level: float) -> dict[str, Estimate]:
    judged = _judged(rows)
    found = {metric: mean_of(values[judged]) for metric, values in _by_query(rows).items()}
    queries = int(judged.sum())
    return {
        metric: known(mean.value, queries, "queries with a relevant row", mean.interval_within(0, 1), level)
        for metric, mean in found.items()
    }


def _judged(rows: _Ranked) -> npt.NDArray[np.bool_]:
    """Which queries have a relevant row, shape (queries,)."""
    return np.bincount(rows.query, weights=rows.label > 0, minlength=rows.queries) > 0


def _by_query(rows: _Ranked) -> dict[str, Floats]:
    """Each metric of each query, shape (queries,); of no meaning where it is not judged."""
    relevant = rows.label > 0
    count = np.bincount(rows.query, weights=relevant, minlength=rows.queries)
    found = {f"ndcg@{k}": _ndcg(rows, k) for k in CUTS}
    first = np.full(rows.queries, np.inf)
    np.minimum.at(first, rows.query[relevant], rows.place[relevant])
    found["mrr"] = 1 / first
    hits = _hits(rows, relevant)
    for k in CUTS:
        counted = relevant & (rows.place <= k)
        total = np.bincount(rows.query[counted], weights=(hits / rows.place)[counted], minlength=rows.queries)
        found[f"map@{k}"] = total / np.maximum(1, np.minimum(count, k))
    return found


def _hits(rows: _Ranked, relevant: npt.NDArray[np.bool_]) -> Floats:
    """Relevant rows of the query with a score at least as high as each row's."""
    total = np.cumsum(relevant)
    begins = np.flatnonzero(rows.order == 1)
    before: Integers = (total - relevant)[begins]
    last = np.append(np.flatnonzero(np.diff(rows.tie)), rows.tie.size - 1)
    return np.asarray(total[last][rows.tie] - before[rows.query], dtype=np.float64)


def _ndcg(rows: _Ranked, k: int) -> Floats:
    """Linear gains, logarithmic discounts; tied rows share their gain, as scikit-learn does."""
    discount = np.where(rows.order <= k, 1 / np.log2(rows.order + 1), 0.0)
    gain = np.bincount(rows.tie, weights=rows.label) / np.bincount(rows.tie)
    reached = np.bincount(rows.query, weights=gain[rows.tie] * discount, minlength=rows.queries)
    ideal = rows.label[np.lexsort((-rows.label, rows.query))]
    best = np.bincount(rows.query, weights=ideal * discount, minlength=rows.queries)
    return np.divide(reached, best, out=np.zeros_like(best), where=best > 0)

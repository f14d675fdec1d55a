"""Ranking: NDCG@k, mean reciprocal rank and MAP@k, as means over queries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_action.errors import PredictionsUnreadable
from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known
from mlops_action.metrics.predictions.held import Held
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer
from mlops_action.statistics.clusters import Codes, Floats, mean_of

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
        numbered = pa.concat_arrays(self._queries).dictionary_encode().indices.cast(pa.int64())
        queries: Integers = np.frombuffer(numbered.buffers()[1], np.int64, count=len(numbered))
        found = []
        for name, chosen in self._held.slices():
            data, _, _ = self._held.rows(chosen)
            rows = _ranked(queries[chosen], data["labels"], data["scores"])
            found.append(SliceMetrics(name, int(chosen.sum()), _metrics(rows, level)))
        return found


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
    relevant = rows.label > 0
    count = np.bincount(rows.query, weights=relevant, minlength=rows.queries)
    judged = count > 0
    found = {f"ndcg@{k}": _mean(_ndcg(rows, k), judged, level) for k in CUTS}
    first = np.full(rows.queries, np.inf)
    np.minimum.at(first, rows.query[relevant], rows.place[relevant])
    found["mrr"] = _mean(1 / first, judged, level)
    hits = _hits(rows, relevant)
    for k in CUTS:
        counted = relevant & (rows.place <= k)
        total = np.bincount(rows.query[counted], weights=(hits / rows.place)[counted], minlength=rows.queries)
        found[f"map@{k}"] = _mean(total / np.maximum(1, np.minimum(count, k)), judged, level)
    return found


def _mean(values: Floats, judged: npt.NDArray[np.bool_], level: float) -> Estimate:
    mean = mean_of(values[judged])
    return known(mean.value, int(judged.sum()), "queries with a relevant row", mean.interval_within(0, 1), level)


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

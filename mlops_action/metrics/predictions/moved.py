"""The rows that a candidate predicts worse than its baseline by the most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.aligned import aligned, one_batch
from mlops_action.metrics.predictions.binary_labels import BinaryLabels, Truth
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.statistics.clusters import Floats
from mlops_action.vocabulary import Task


@frozen
class MovedRow:
    """One row, as texts, and how much worse it became."""

    id: str
    truth: str
    before: str
    after: str
    worse_by: float


def moved_rows(candidate: Path, baseline: Path, roles: Roles, rows: Truth | None, most: int) -> list[MovedRow] | None:
    """The rows that got worse most, the worst first.

    How wrong a row is: the distance of the score from the truth (binary), of the probability
    of the true class from 1 (multiclass), of the prediction from the truth (regression), and
    1 for a wrong class where there are no scores.

    Args:
        candidate: its file.
        baseline: its file; rows are joined by ``roles.id``.
        roles: what the columns are.
        rows: which of the rows that both files hold; all by default.
        most: how many at most.

    Returns:
        None for tasks whose rows have no one truth.

    Raises:
        PredictionsUnreadable: a file cannot be read or joined.
    """
    if roles.task not in {Task.BINARY, Task.MULTICLASS, Task.REGRESSION}:
        return None
    both = aligned(candidate, baseline, roles)
    ours, theirs = one_batch(both.candidate, str(candidate)), one_batch(both.baseline, str(baseline))
    worse = _wrong(ours, roles) - _wrong(theirs, roles)
    worse = np.where(rows, worse, -np.inf) if rows is not None else worse
    places = [int(place) for place in np.argsort(-worse, kind="stable")[:most] if worse[place] > 0]
    shown = [_texts(batch, places) for batch in (both.candidate, both.baseline)]
    said = [name for name in (roles.score, roles.prediction, *dict(roles.scores).values()) if name]
    return [
        MovedRow(
            shown[0][roles.id][i],
            shown[0][roles.label][i],
            ", ".join(shown[1][name][i] for name in said),
            ", ".join(shown[0][name][i] for name in said),
            float(worse[place]),
        )
        for i, place in enumerate(places)
    ]


def _texts(table: Any, places: list[int]) -> dict[str, list[str]]:
    chosen = table.take(places)
    return {name: [str(value) for value in chosen.column(name).to_pylist()] for name in table.column_names}


def _wrong(batch: Batch, roles: Roles) -> Floats:
    """How wrong each row is, shape (rows,)."""
    if roles.task is Task.REGRESSION:
        return np.abs(batch.finite(roles.prediction) - batch.finite(roles.label))
    if roles.task is Task.BINARY:
        truth = BinaryLabels(roles.positive).positive(batch, roles.label)
        if roles.score:
            return np.abs(truth - batch.finite(roles.score))
        return np.asarray(truth != BinaryLabels(roles.positive).positive(batch, roles.prediction), np.float64)
    codes, names = batch.coded(roles.label)
    if roles.scores:
        columns = dict(roles.scores)
        scores = np.stack([batch.finite(columns[name]) for name in names], axis=1)
        return np.asarray(1 - scores[np.arange(codes.size), codes], np.float64)
    predicted, words = batch.coded(roles.prediction)
    return np.asarray([names[a] != words[b] for a, b in zip(codes, predicted, strict=True)], np.float64)

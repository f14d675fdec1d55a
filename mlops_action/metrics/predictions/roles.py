"""Which column of a file of predictions is what."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.vocabulary import Task


@frozen
class Roles:
    """The columns of a file of predictions.

    Args:
        task: what is predicted.
        label: column of the truth; of the relevance for ranking; empty for multilabel (see ``labels``).
        score: column of the score or probability of the positive class, or of the ranking; empty if there is none.
        prediction: column of the predicted class or number; ``score >= threshold`` or the best of ``scores`` if empty.
        scores: one probability column for each class or label, by its name.
        labels: one 0/1 column for each label of a multilabel task, by its name; ``scores`` has the same names.
        weight: column of row weights.
        id: column that identifies rows; must be unique.
        cluster: column of what rows share (a user, a document), when they are not independent.
        query: column of the query that a row of a ranking belongs to.
        slices: columns whose every value is a slice; a tuple of columns is an intersection.
        positive: the label of the positive class of a binary task.
        threshold: of the score, inclusive; the quantile of a regression's quantile loss.
        calibration: also the expected calibration error and the calibration line; rows are then held in memory.
    """

    task: Task
    label: str = "label"
    score: str = ""
    prediction: str = ""
    scores: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    weight: str = ""
    id: str = ""
    cluster: str = ""
    query: str = ""
    slices: tuple[str | tuple[str, ...], ...] = ()
    positive: int | float | str | bool = 1
    threshold: float = 0.5
    calibration: bool = False

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """Every column that takes part in a slice, once."""
        parts = [part for each in self.slices for part in ((each,) if isinstance(each, str) else each)]
        return tuple(dict.fromkeys(parts))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is to be read, once."""
        single = (self.label, self.score, self.prediction, self.weight, self.id, self.cluster, self.query)
        named = tuple(column for _, column in (*self.scores, *self.labels))
        return tuple(dict.fromkeys(column for column in (*single, *named, *self.slice_columns) if column))

"""A file of predictions, as a plan names it."""

from __future__ import annotations

from decimal import Decimal

from mlops_action.frozen import frozen
from mlops_action.records.base import Json, Number, documented
from mlops_action.vocabulary import Task


@frozen
class PlannedPredictions:
    """Which column of a file of predictions is what."""

    name: str = documented("Name in the policy.")
    file: str = documented("Path of the candidate's file.")
    task: Task = documented("What is predicted.")
    baseline: str = documented("Where the baseline's file is read from, or empty.", default="")
    label: str = documented("Column of the truth.", default="")
    score: str = documented("Column of the score.", default="")
    prediction: str = documented("Column of the prediction.", default="")
    scores: dict[str, str] = documented("Columns of probabilities by class or label.", default_factory=dict)
    labels: dict[str, str] = documented("Columns of truths by label.", default_factory=dict)
    min_coverage: Number = documented("Share of the baseline's rows that must be there.", default=Decimal("0.9"))
    weight: str = documented("Column of weights.", default="")
    id: str = documented("Column that identifies rows.", default="")
    cluster: str = documented("Column of what rows share.", default="")
    query: str = documented("Column of the query of a ranking.", default="")
    slices: tuple[str, ...] = documented("Columns whose values are slices: `country`, `country & device`.", default=())
    expected: dict[str, Json] = documented("Values that slice columns must have.", default_factory=dict)
    positive: Json = documented("Label of the positive class.", default=1)
    threshold: Number | None = documented("Of the score, inclusive; of a regression its quantile.", default=None)
    calibration: bool = documented("Whether calibration is judged.", default=False)

"""The columns of planned predictions, as the metrics take them."""

from __future__ import annotations

from dataclasses import replace

from mlops_action.config.predictions_rules import columns_of
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.records import PlannedPredictions
from mlops_action.vocabulary import Task


def roles_of(planned: PlannedPredictions) -> Roles:
    """The roles of a file's columns."""
    slices = tuple(columns_of(each) for each in planned.slices)
    roles = Roles(
        planned.task,
        label="" if planned.task is Task.MULTILABEL else planned.label,
        score=planned.score,
        prediction=planned.prediction,
        scores=tuple(planned.scores.items()),
        labels=tuple(planned.labels.items()),
        weight=planned.weight,
        id=planned.id,
        cluster=planned.cluster,
        query=planned.query,
        slices=tuple(each[0] if len(each) == 1 else each for each in slices),
        positive=planned.positive,
        calibration=planned.calibration,
    )
    return roles if planned.threshold is None else replace(roles, threshold=float(planned.threshold))

"""Gates on predictions as a plan has them: the file, its columns, and the slices that are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from mlops_action.config.policy_model import GateSpec, SmallSlices
from mlops_action.config.predictions_model import PredictionsSpec
from mlops_action.config.predictions_rules import ALL
from mlops_action.records import PlannedPredictions, Smallest
from mlops_action.vocabulary import Prove, Task

OF_CLASSES = 10
"""Fewest rows of each class for metrics that depend on them: with less, intervals of areas say next to nothing."""
_OF_ALL_ROWS = {"accuracy", "log_loss", "brier", "prevalence", "selection_rate", "rows"}
_OF_POSITIVES = {"recall", "false_negative_rate", "average_precision"}
_OF_NEGATIVES = {"specificity", "false_positive_rate"}


def planned_on_predictions(gate: GateSpec, known: Mapping[str, PredictionsSpec]) -> dict[str, Any]:
    """The fields of a ``PlannedGate`` that gates on predictions have; none for other gates."""
    if not gate.predictions:
        return {}
    spec = known[gate.predictions]
    values = {item.name: getattr(spec, item.name) for item in fields(spec)}
    slices = spec.slices if gate.slices == (ALL,) else gate.slices
    return {
        "predictions": PlannedPredictions(name=gate.predictions, **values),
        "slices": tuple(slices),
        "groups": gate.groups,
        "prove": gate.prove or (Prove.FAIL if slices else Prove.PASS),
        "confidence": gate.confidence,
        "smallest": _smallest(gate, spec.task),
    }


def _smallest(gate: GateSpec, task: Task) -> Smallest:
    """How small a slice may be; which classes a metric depends on is known by its name."""
    binary = task is Task.BINARY and gate.metric not in _OF_ALL_ROWS
    positives = OF_CLASSES if binary and gate.metric not in _OF_NEGATIVES else 0
    negatives = OF_CLASSES if binary and gate.metric not in _OF_POSITIVES else 0
    return Smallest(
        gate.min_n,
        positives if gate.min_positives is None else gate.min_positives,
        negatives if gate.min_negatives is None else gate.min_negatives,
        gate.small_slices is SmallSlices.INCONCLUSIVE,
    )

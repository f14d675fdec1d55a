"""Gates on a file of predictions itself: rows, holes, repeated ids, coverage. Counts need no interval."""

from __future__ import annotations

from mlops_action.errors import nearest
from mlops_action.judgement.predictions.files import PredictionFiles
from mlops_action.judgement.predictions.trials import Lack, Trial, exact
from mlops_action.records import PlannedGate
from mlops_action.vocabulary import Undecided

NULLS = "null_share."
COVERAGES = ("join_coverage", "new_share")
COUNTS = ("rows", "null_share", "repeated_ids", *COVERAGES)
"""Metrics of the file and not of the model; ``null_share.COLUMN`` as well."""


def is_quality(metric: str) -> bool:
    """Whether a metric is one of the file."""
    return metric in COUNTS or metric.startswith(NULLS)


def quality_trial(gate: PlannedGate, files: PredictionFiles) -> Trial:
    """The trial of a metric of the file.

    Raises:
        MlopsError: the file cannot be had or read; the message says why.
    """
    from mlops_action.metrics.predictions.quality import coverage

    planned = gate.predictions
    assert planned is not None  # noqa: S101 - it is a gate on predictions
    found = files.quality(planned)
    if gate.metric in COVERAGES:
        locator = gate.baseline or planned.baseline
        if not (locator and planned.id):
            said = f"`{gate.metric}` needs an `id` and a `baseline`"
            return Trial("", found.rows, lack=Lack(Undecided.BROKEN, said, "name both with the predictions"))
        value = coverage(gate.metric, found, files.quality(planned, locator))
    else:
        value = found.value(gate.metric)
    if value is None:
        hint = nearest(gate.metric, found.metrics())
        return Trial("", found.rows, lack=Lack(Undecided.UNDEFINED, f"`{gate.metric}` has no value here", hint))
    return Trial("", found.rows, exact(value), certain=True)

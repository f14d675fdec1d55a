"""The entry: a file of predictions and the roles of its columns to the metrics of every slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from mlops_action.errors import BadValue, PredictionsUnreadable
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import SliceMetrics
from mlops_action.metrics.predictions.files import batches
from mlops_action.metrics.predictions.identity import Identities
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Slicer
from mlops_action.registry import load_from
from mlops_action.statistics.results import LEVEL
from mlops_action.vocabulary import Task

ENGINES: dict[str, str] = {
    Task.BINARY: "mlops_action.metrics.predictions.binary:Binary",
    Task.MULTICLASS: "mlops_action.metrics.predictions.multiclass:Multiclass",
    Task.MULTILABEL: "mlops_action.metrics.predictions.multilabel:Multilabel",
    Task.RANKING: "mlops_action.metrics.predictions.ranking:Ranking",
    Task.REGRESSION: "mlops_action.metrics.predictions.regression:Regression",
}
"""What adds up each task's rows. To add a task: one module, one line here."""
HELD: dict[str, str] = {
    Task.BINARY: "mlops_action.metrics.predictions.binary_rows:BinaryRows",
    Task.MULTICLASS: "mlops_action.metrics.predictions.mean_rows:MulticlassRows",
    Task.REGRESSION: "mlops_action.metrics.predictions.mean_rows:RegressionRows",
}
"""For weights, clusters and calibration, which sums by slice cannot tell."""


class Engine(Protocol):
    """Adds up batches, then gives the metrics of all rows and of each slice."""

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch, or raise PredictionsUnreadable."""

    def slices(self, level: float) -> list[SliceMetrics]:
        """All rows first, then the slices in the order of the roles, by name."""


def measure(path: Path, roles: Roles, level: float = LEVEL) -> list[SliceMetrics]:
    """Read a file of predictions once, and judge all its rows and every slice.

    Args:
        path: Parquet, CSV, Arrow or JSON Lines, by its ending.
        roles: which column is what.
        level: of the confidence intervals.

    Returns:
        The metrics of all rows first (its name is empty), then of each slice.

    Raises:
        BadValue: the roles do not fit the task.
        PredictionsUnreadable: the file, or a value in it, cannot be judged.
        ToolMissing: the extra ``data`` is not installed.
    """
    _check(roles)
    return measure_batches(batches(path, roles.columns, roles.slice_columns), roles, str(path), level)


def measure_batches(found: Iterable[Any], roles: Roles, origin: str, level: float = LEVEL) -> list[SliceMetrics]:
    """As ``measure``, of ``pyarrow.RecordBatch``es with the columns of ``roles``; ``origin`` names them in errors."""
    engine: Engine | None = None
    slicer, identities, first = Slicer(roles), Identities(), 1
    for data in found:
        batch = Batch(data, origin, first)
        engine = engine or _engine(roles, slicer)
        if roles.id:
            identities.add(batch, roles.id)
        engine.add(batch)
        first += batch.rows
    if engine is None:
        raise PredictionsUnreadable("the file of predictions has no rows", origin=origin)
    if roles.id:
        identities.check(roles.id, origin)
    return engine.slices(level)


def _engine(roles: Roles, slicer: Slicer) -> Engine:
    held = roles.weight or roles.cluster or roles.calibration
    engine: Any = load_from(HELD if held else ENGINES, roles.task)
    found: Engine = engine(roles, slicer)
    return found


def _check(roles: Roles) -> None:
    """Refuse roles that leave out what the task needs, or that would be passed over in silence."""
    if roles.task not in ENGINES:
        raise BadValue(
            f"predictions of the task `{roles.task}` cannot be judged yet", hint=f"known: {', '.join(ENGINES)}"
        )
    if (roles.weight or roles.cluster or roles.calibration) and roles.task not in HELD:
        # Passing over them in silence would make intervals too narrow.
        raise BadValue(f"weights, clusters and calibration cannot be judged for the task `{roles.task}`")
    if roles.calibration and roles.task is not Task.BINARY:
        raise BadValue("calibration can be judged for binary classification only")
    if not roles.label and roles.task is not Task.MULTILABEL:
        raise BadValue("no column of labels is named")
    missing = _NEEDED[roles.task](roles)
    if missing:
        raise BadValue(f"the task `{roles.task}` needs {missing}")


def _scored(roles: Roles) -> bool:
    return {name for name, _ in roles.labels} <= {name for name, _ in roles.scores}


_NEEDED: dict[Task, Callable[[Roles], str]] = {
    Task.BINARY: lambda r: "" if r.prediction or r.score else "the column of scores, of predictions, or both",
    Task.MULTICLASS: lambda r: "" if r.prediction or r.scores else "columns of scores, one of predictions, or both",
    Task.MULTILABEL: lambda r: "" if r.labels and _scored(r) else "columns of labels, and a score for each",
    Task.RANKING: lambda r: "" if r.query and r.score else "the columns of queries and of scores",
    Task.REGRESSION: lambda r: "" if r.prediction else "the column of predictions",
}

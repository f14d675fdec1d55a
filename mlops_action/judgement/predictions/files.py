"""Files of predictions, each read once: metrics of the candidate, and of the candidate beside its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_action.canonical import sha256_file
from mlops_action.errors import BaselineUnavailable, MlopsError, PredictionsUnreadable
from mlops_action.frozen import frozen
from mlops_action.judgement.predictions.roles import roles_of
from mlops_action.metrics.baseline import Baselines
from mlops_action.metrics.predictions.estimate import SliceMetrics
from mlops_action.records import BaselineIdentity, PlannedPredictions
from mlops_action.registry import load_from
from mlops_action.statistics.quantity import Quantity
from mlops_action.vocabulary import Task

DIFFERENCES: dict[str, str] = {
    Task.BINARY: "mlops_action.metrics.predictions.binary_differences:BinaryDifferences",
    Task.REGRESSION: "mlops_action.metrics.predictions.loss_differences:RegressionDifferences",
    Task.MULTICLASS: "mlops_action.metrics.predictions.loss_differences:MulticlassDifferences",
    Task.MULTILABEL: "mlops_action.metrics.predictions.loss_differences:MultilabelDifferences",
    Task.RANKING: "mlops_action.metrics.predictions.ranking:RankingDifferences",
}
"""Paired methods by task; a metric without one is compared as if the models had seen different rows."""

NO_ID = (
    "rows have no `id`: compared as if the two files held different rows, which finds less; "
    "name a column `id` to compare row by row"
)

Slices = Mapping[str, SliceMetrics]


@frozen
class Measured:
    """A candidate's file: its metrics by slice, and its digest."""

    path: Path
    digest: str
    slices: Slices


@frozen
class Compared:
    """A candidate beside a baseline, on the same rows where they have ids."""

    candidate: Slices
    baseline: Slices
    identity: BaselineIdentity
    paired: bool
    notes: tuple[str, ...]
    earlier: Mapping[str, int] | None
    """Slices of the baseline's file with their rows; None when its slice columns are not there."""
    masks: Mapping[str, Any] = field(default_factory=dict)
    differences: Any = None

    def difference(self, metric: str, name: str) -> Quantity | None:
        """The paired difference of a metric on a slice, where a method is known."""
        if self.differences is None:
            return None
        found: Quantity | None = self.differences.of(metric, name, self.masks[name])
        return found


class PredictionFiles:
    """Reads files when they are asked for, and remembers what they said, errors included."""

    def __init__(self, baselines: Baselines, folder: Path) -> None:
        """Take where baselines come from, and a folder for copies of them."""
        self._baselines = baselines
        self._folder = folder
        self._known: dict[tuple[str, str], Measured | Compared | MlopsError] = {}

    def measured(self, planned: PlannedPredictions) -> Measured:
        """The candidate's metrics.

        Raises:
            MlopsError: the file cannot be judged; the message says why.
        """
        found = self._once((planned.name, ""), lambda: self._measure(planned))
        assert isinstance(found, Measured)  # noqa: S101 - by its key
        return found

    def compared(self, planned: PlannedPredictions, locator: str) -> Compared:
        """The candidate's metrics beside the baseline's.

        Raises:
            MlopsError: a file cannot be had or judged; the message says why.
        """
        found = self._once((planned.name, locator or " "), lambda: self._compare(planned, locator))
        assert isinstance(found, Compared)  # noqa: S101 - by its key
        return found

    def quality(self, planned: PlannedPredictions, locator: str = "") -> Any:
        """Counts over the candidate's file, or over the baseline's that ``locator`` names.

        Raises:
            MlopsError: the file cannot be had or read; the message says why.
        """
        from mlops_action.metrics.predictions.aligned import baseline_roles
        from mlops_action.metrics.predictions.quality import Quality

        if not locator:
            return Quality(self.path_of(planned), roles_of(planned))
        self._baselines.refuse_itself(locator, planned.file)
        path, _ = self._baselines.file(locator, self._folder)
        return Quality(path, baseline_roles(roles_of(planned)))

    @property
    def root(self) -> Path:
        """The project folder."""
        return self._baselines.root

    def path_of(self, planned: PlannedPredictions) -> Path:
        """Where the candidate's file is."""
        return self._baselines.root / planned.file

    def _once(self, key: tuple[str, str], make: Any) -> Measured | Compared:
        if key not in self._known:
            try:
                self._known[key] = make()
            except MlopsError as problem:
                self._known[key] = problem
            except _of_the_file() as error:  # text that is no text, columns of kinds that nothing can be done with
                said = (str(error).splitlines() or [type(error).__name__])[0]
                self._known[key] = PredictionsUnreadable(f"the predictions cannot be judged: {said}", origin=key[0])
        found = self._known[key]
        if isinstance(found, MlopsError):
            raise found
        return found

    def _measure(self, planned: PlannedPredictions) -> Measured:
        from mlops_action.metrics.predictions.measure import measure

        path = self.path_of(planned)
        slices = {each.name: each for each in measure(path, roles_of(planned))}
        return Measured(path, f"sha256:{sha256_file(path)}", slices)

    def _compare(self, planned: PlannedPredictions, locator: str) -> Compared:
        self._baselines.refuse_itself(locator, planned.file)
        baseline, identity = self._baselines.file(locator, self._folder)
        ours = self.measured(planned)
        try:
            comparing = _Comparing(planned, ours, baseline, identity)
            return comparing.paired() if planned.id else comparing.independent()
        except PredictionsUnreadable as error:
            if error.origin != str(baseline):
                raise
            raise BaselineUnavailable(
                f"the baseline is not usable: {error.message}", origin=locator, hint=error.hint
            ) from error


def _of_the_file() -> tuple[type[Exception], ...]:
    """What Arrow raises where a file's contents are to blame."""
    try:
        from pyarrow import ArrowException
    except ImportError:
        return (OSError,)
    return (ArrowException, UnicodeDecodeError, OSError)


@frozen
class _Comparing:
    """Two files that are being compared."""

    planned: PlannedPredictions
    ours: Measured
    baseline: Path
    identity: BaselineIdentity

    @cached_property
    def roles(self) -> Any:
        return roles_of(self.planned)

    def paired(self) -> Compared:
        """The rows that both hold, by their ids."""
        from mlops_action.metrics.predictions.aligned import aligned, one_batch
        from mlops_action.metrics.predictions.measure import measure_batches
        from mlops_action.metrics.predictions.slices import Slicer

        both = aligned(self.ours.path, self.baseline, self.roles)
        self._covered(both)
        names = str(self.ours.path), str(self.baseline)
        batches = [one_batch(table, name) for table, name in zip((both.candidate, both.baseline), names, strict=True)]
        measured = [measure_batches([each.data], self.roles, each.origin) for each in batches]
        notes = [f"identical, byte by byte: {self.planned.file} and the baseline"] if self._same() else []
        if both.rows < max(both.candidate_rows, both.baseline_rows):
            notes.append(
                f"compared on the {both.rows:,} rows that both files hold: the candidate has "
                f"{both.candidate_rows:,}, the baseline {both.baseline_rows:,}"
            )
        if both.relabelled:
            notes.append(f"{both.relabelled:,} rows have another truth than in the baseline; the candidate's is used")
        slicer = Slicer(self.roles)
        cells = slicer.cells_of(batches[0])
        masks: dict[str, Any] = {}
        for names_of, member in slicer.families():
            masks |= _masks(names_of, member, cells, both.rows)
        engine = DIFFERENCES.get(self.planned.task)
        differences = load_from(DIFFERENCES, self.planned.task)(*batches, self.roles) if engine else None
        slices = [{each.name: each for each in found} for found in measured]
        earlier = self._earlier()
        return Compared(slices[0], slices[1], self.identity, True, tuple(notes), earlier, masks, differences)

    def _covered(self, both: Any) -> None:
        """Refuse a candidate that leaves out rows: the hard ones, perhaps."""
        if both.rows < self.planned.min_coverage * both.baseline_rows:
            held = f"the candidate holds {both.rows:,} of the baseline's {both.baseline_rows:,} rows"
            raise BaselineUnavailable(
                f"{held}, and {self.planned.min_coverage:.0%} are needed",
                origin=self.planned.file,
                hint="predict the same rows as the baseline; where the evaluation data changed on purpose, lower "
                "`min-coverage` of the predictions until the new baseline is merged",
            )

    def independent(self) -> Compared:
        """Two files whose rows have nothing to do with each other, as far as anybody can tell."""
        from mlops_action.metrics.predictions.measure import measure

        theirs = {each.name: each for each in measure(self.baseline, self.roles)}
        notes = [NO_ID]
        notes += [shift] if (shift := prevalence_shift(self.ours.slices, theirs)) else []
        earlier = {name: each.rows for name, each in theirs.items()}
        return Compared(self.ours.slices, theirs, self.identity, False, tuple(notes), earlier)

    def _same(self) -> bool:
        return self.identity.digest == self.ours.digest

    def _earlier(self) -> Mapping[str, int] | None:
        from mlops_action.metrics.predictions.slices import slice_rows

        return slice_rows(self.baseline, self.roles) if self.roles.slices else {}


def _masks(names: list[str], member: Any, cells: Any, rows: int) -> dict[str, Any]:
    import numpy as np

    place = member.take(np.zeros(rows, np.int64) if cells is None else cells)
    return {name: place == number for number, name in enumerate(names)}


def prevalence_shift(ours: Slices, theirs: Slices) -> str:
    """Says that the share of positives is another one than in the baseline's rows, or nothing."""
    from mlops_action.statistics.proportions import mover

    one, other = (each[""].metrics.get("prevalence") for each in (ours, theirs))
    if one is None or other is None or one.value is None or other.value is None or not (one.at and other.at):
        return ""
    interval = mover((one.value, one.at(0.99)), (other.value, other.at(0.99)), 0.99, "newcombe-independent")
    if interval.low <= 0 <= interval.high:
        return ""
    return (
        f"the share of positives went from {other.value:.3g} to {one.value:.3g}: precision, F1 and average precision "
        "change with it, whatever the model"
    )

"""Binary classification: one pass over the batches, sums by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.metrics.predictions.areas import Areas, ScoreStore
from mlops_action.metrics.predictions.binary_labels import BinaryLabels, Truth
from mlops_action.metrics.predictions.binary_metrics import Outcomes, outcome_metrics
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics, known
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.metrics.predictions.slices import Cells, Slicer, Sums, added_up
from mlops_action.statistics.clusters import Floats
from mlops_action.statistics.delong import Auc
from mlops_action.statistics.distributions import normal_quantile
from mlops_action.statistics.means import mean_of_sums
from mlops_action.statistics.results import Interval, tail

EPSILON = float(np.finfo(np.float64).eps)
"""Probabilities are kept this far from 0 and 1 in the log-loss, as scikit-learn does."""
_BLOCK = 1 << 15
"""So many rows are reckoned at once that what is made of them stays in a processor's cache: half of the time."""


class Binary:
    """Takes batches; gives the metrics of all slices."""

    def __init__(self, roles: Roles, slicer: Slicer) -> None:
        """Begin with no rows."""
        self._roles = roles
        self._slicer = slicer
        self._labels = BinaryLabels(roles.positive)
        self._counts = Sums(4, np.int64)
        self._losses = Sums(5)
        self._scores = ScoreStore()
        self._probabilities = True

    def add(self, batch: Batch) -> None:
        """Take the rows of a batch.

        Raises:
            PredictionsUnreadable: a hole, text among numbers, NaN, or labels of more than two kinds.
        """
        cells, known_cells = self._slicer.cells_of(batch), self._slicer.cells
        positive = self._labels.positive(batch, self._roles.label)
        scores = batch.finite(self._roles.score) if self._roles.score else None
        if self._roles.prediction:
            predicted = self._labels.positive(batch, self._roles.prediction)
        else:
            assert scores is not None  # noqa: S101 - ``measure`` has seen to it
            predicted = scores >= self._roles.threshold
        outcome = positive * np.uint8(2) + predicted
        codes = outcome if cells is None else cells * 4 + outcome
        self._counts.add(np.bincount(codes, minlength=4 * known_cells).reshape(-1, 4))
        if scores is not None:
            self._scores.add(scores, positive, cells, known_cells)
            self._add_losses(scores, positive, cells, known_cells)

    def slices(self, level: float) -> list[SliceMetrics]:
        """The metrics of all rows, then of each slice."""
        families = self._slicer.families()
        areas = [Areas(family) for family in families]
        if self._roles.score:
            for piece in self._scores.pieces():
                for each in areas:
                    each.add(piece)
        found: list[SliceMetrics] = []
        for (names, member), area in zip(families, areas, strict=True):
            counts = added_up(self._counts.values, member, len(names))
            losses = self._losses_of(member, len(names))
            ranked = list(zip(area.areas(), area.average_precisions(), strict=True))
            for place, name in enumerate(names):
                outcomes = Outcomes(*(int(count) for count in counts[place]))
                metrics = outcome_metrics(outcomes, name, level)
                if losses is not None:
                    metrics |= area_metrics(*ranked[place], level)
                    metrics |= self._loss_metrics(outcomes, losses[place], level)
                found.append(SliceMetrics(name, int(outcomes.rows), metrics, outcomes.as_dict()))
        return found

    def _losses_of(self, member: npt.NDArray[Any], slices: int) -> npt.NDArray[Any] | None:
        if not self._roles.score:
            return None
        return added_up(self._losses.values, member, slices) if self._probabilities else np.zeros((slices, 5))

    def _add_losses(self, scores: Floats, positive: Truth, cells: Cells | None, known_cells: int) -> None:
        self._probabilities &= bool(scores.min() >= 0 and scores.max() <= 1)
        if not self._probabilities:
            return
        total = np.zeros((known_cells, 5))
        for start in range(0, scores.size, _BLOCK):
            rows = slice(start, start + _BLOCK)
            columns = _losses(scores[rows], positive[rows])
            if cells is None:
                total += [[column.sum() for column in columns]]
            else:
                sums = [np.bincount(cells[rows], weights=column, minlength=known_cells) for column in columns]
                total += np.stack(sums, axis=1)
        self._losses.add(total)

    def _loss_metrics(self, outcomes: Outcomes, sums: npt.NDArray[Any], level: float) -> dict[str, Estimate]:
        rows = int(outcomes.rows)
        if not self._probabilities:
            nothing = Estimate(None, 0, "rows with a probability")
            return {"log_loss": nothing, "brier": nothing}
        loss = mean_of_sums(rows, *(float(each) for each in sums[:3]))
        brier = mean_of_sums(rows, float(sums[3]), float(sums[4]))
        return {
            "log_loss": known(loss.value, rows, "rows", loss.interval_for_skewed, level),
            "brier": known(brier.value, rows, "rows", brier.interval, level),
        }


def _losses(scores: Floats, positive: Truth) -> tuple[Floats, ...]:
    """Log-loss with its square and cube, and Brier score with its square, of each row."""
    right = np.where(positive, scores, 1 - scores)
    wrong = 1 - right
    wrong *= wrong
    np.clip(right, EPSILON, 1 - EPSILON, out=right)
    loss = np.log(right, out=right)
    np.negative(loss, out=loss)
    square = loss * loss
    return loss, square, square * loss, wrong, wrong * wrong


def area_metrics(area: Auc, precision: float, level: float) -> dict[str, Estimate]:
    """The two areas with their intervals."""
    fewer = min(area.positives, area.negatives)
    counted = "positives" if area.positives <= area.negatives else "negatives"
    return {
        "roc_auc": known(area.value, fewer, counted, area.interval, level),
        "average_precision": known(
            precision,
            area.positives,
            "positives",
            lambda at: average_precision_interval(precision, area.positives, at),
            level,
        ),
    }


def average_precision_interval(precision: float, positives: float, level: float) -> Interval:
    """The logit interval of average precision (Boyd, Eng & Page 2013, ECML PKDD, section 3.3)."""
    method = "boyd-logit"
    if not 0 < precision < 1:
        return Interval(0.0, 1.0, level, method)
    odds = float(np.log(precision / (1 - precision)))
    reach = -normal_quantile(tail(level)) / float(np.sqrt(positives * precision * (1 - precision)))
    low, high = (1 / (1 + float(np.exp(-end))) for end in (odds - reach, odds + reach))
    return Interval(low, high, level, method)

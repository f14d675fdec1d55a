"""Exact areas under ROC and precision-recall curves of every slice, from one sort of all rows.

Rows are sorted by score once, in parts that fit a cache, and looked at in pieces of some parts. Each family of slices
then takes a piece apart by a stable sort of small integers, which is one pass that counts and keeps the order of scores
within each slice. Ties count half, as they should.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.slices import Cells
from mlops_action.statistics.clusters import Floats
from mlops_action.statistics.delong import Auc, auc_of_sums

PIECE_ROWS = 1 << 18
"""Rows that are taken apart by slices at once."""
PART_ROWS = 1 << 15
"""Rows that are sorted at once: what that takes stays in a processor's own cache."""
_MOST_PARTS = 1 << 8
_SAMPLE = 1 << 16
_BINS = 1 << 14

Keys = npt.NDArray[Any]
Family = tuple[list[str], npt.NDArray[Any]]


@frozen
class Piece:
    """Rows in a range of scores, from the highest score down; each of shape (rows,)."""

    positive: npt.NDArray[np.bool_]
    cells: Keys
    ranks: npt.NDArray[Any] | None
    """The place among the piece's different scores; None where all are different."""


class ScoreStore:
    """Scores with their labels and cells: 10 bytes a row up to 32,768 cells, 12 beyond."""

    def __init__(self) -> None:
        """Begin with no rows."""
        self._chunks: list[tuple[Floats, Keys]] = []
        self._rows = 0

    def add(self, scores: Floats, positive: npt.NDArray[np.bool_], cells: Cells | None, known: int) -> None:
        """Keep the rows of a batch; ``known`` is the number of cells so far."""
        keys = positive.astype(np.uint8) if cells is None else cells * 2 + positive
        narrow = np.uint16 if known <= 1 << 15 else np.uint32
        self._chunks.append((np.negative(scores), keys.astype(narrow)))
        self._rows += scores.size

    def pieces(self) -> Iterator[Piece]:
        """All rows, in pieces of falling scores; no score is in two of them. The rows are given up."""
        chunks, self._chunks = self._chunks, []
        number = _numbering([scores for scores, _ in chunks], self._rows)
        starts = []
        for place, (scores, keys) in enumerate(chunks):
            of = number(scores)
            order = np.argsort(of, kind="stable")  # of small integers: one pass that counts
            chunks[place] = scores.take(order), keys.take(order)
            starts.append(np.concatenate(([0], np.cumsum(np.bincount(of, minlength=_MOST_PARTS)))).tolist())
        parts: list[tuple[Floats, Keys]] = []
        for part in range(_MOST_PARTS):
            ranges = [slice(start[part], start[part + 1]) for start in starts]
            if any(each.start < each.stop for each in ranges):
                both = [(scores[each], keys[each]) for each, (scores, keys) in zip(ranges, chunks, strict=True)]
                parts.append(_ordered(*map(np.concatenate, zip(*both, strict=True))))
            if sum(scores.size for scores, _ in parts) >= PIECE_ROWS:
                yield _piece(parts)
                parts = []
        if parts:
            yield _piece(parts)


def _numbering(chunks: list[Floats], rows: int) -> Callable[[Floats], npt.NDArray[np.uint8]]:
    """What gives each score the number of its part, which never falls as scores rise; some ``PART_ROWS`` are in each.

    By bins of one width, which cost next to nothing; where too many scores are in one of them, by limits of a sample.
    """
    most = max(PART_ROWS, -(-rows // (_MOST_PARTS - 1)))
    low = min(float(scores.min()) for scores in chunks)
    width = max(float(scores.max()) for scores in chunks) - low
    scale = (_BINS - 1) / width if width > 0 else 0.0

    def binned(scores: Floats) -> npt.NDArray[np.uint16]:
        return np.multiply(scores - low, scale).astype(np.uint16)

    if math.isfinite(width) and math.isfinite(scale):
        counts = sum((np.bincount(binned(scores), minlength=_BINS) for scores in chunks), np.zeros(_BINS, np.int64))
        if counts.max() <= most:
            numbers = ((np.cumsum(counts) - counts) // most).astype(np.uint8)
            return lambda scores: numbers.take(binned(scores))
    sample = np.sort(np.concatenate([scores[:: max(1, rows // _SAMPLE)] for scores in chunks]))
    limits = np.unique(sample[:: max(1, sample.size * most // rows)][1:])[: _MOST_PARTS - 1]
    return lambda scores: np.searchsorted(limits, scores, side="right").astype(np.uint8)


def _ordered(scores: Floats, keys: Keys) -> tuple[Floats, Keys]:
    """Rows in the order of rising scores.

    Doubles of one sign are ordered as the integers that their bits are. Those of one part are near each other, so that
    they differ in few bits, and their places fit beside them into one integer: to sort integers takes half as long as
    to find the order of doubles.
    """
    low, high = scores.min(), scores.max()
    shift = scores.size.bit_length()
    if low > 0 or high < 0:
        bits, base = scores.view(np.uint64), low.view(np.uint64)
        packed = bits - base if low > 0 else base - bits
        if not int(packed.max()) >> (64 - shift):
            packed = (packed << np.uint64(shift)) | np.arange(scores.size, dtype=np.uint64)
            packed.sort()
            order: npt.NDArray[Any] = (packed & np.uint64((1 << shift) - 1)).view(np.int64)
            packed >>= np.uint64(shift)
            return (base + packed if low > 0 else base - packed).view(np.float64), keys.take(order)
    order = np.argsort(scores)
    return scores.take(order), keys.take(order)


class Areas:
    """Sums of the slices of one family, from which areas and their variances follow."""

    def __init__(self, family: Family) -> None:
        """Take the names of the slices and the slice of each cell."""
        names, member = family
        size = len(names)
        narrow = np.uint8 if size <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.int64
        self._member = member.astype(narrow)
        self._positives = np.zeros(size, np.int64)
        self._negatives = np.zeros(size, np.int64)
        self._above = np.zeros(size, np.int64)
        """Twice the number of pairs in which the negative is above the positive."""
        self._squares = np.zeros((size, 2))
        self._precision = np.zeros(size)

    def add(self, piece: Piece) -> None:
        """Go on downwards with the next piece."""
        size, positive, ranks = self._positives.size, piece.positive, piece.ranks
        ends = [positive.size]
        if size > 1:
            of = self._member.take(piece.cells)
            order = np.argsort(of, kind="stable")
            positive, ranks = positive.take(order), None if ranks is None else ranks.take(order)
            ends = np.cumsum(np.bincount(of, minlength=size)).tolist()
        start = 0
        for place, end in enumerate(ends):
            rows, start = slice(start, end), end
            if rows.start == rows.stop:
                continue
            if ranks is None:
                self._without_ties(place, positive[rows])
            else:
                self._with_ties(place, ranks[rows], positive[rows])

    def areas(self) -> list[Auc]:
        """The area under the ROC curve of each slice."""
        return [self._area(place) for place in range(self._positives.size)]

    def average_precisions(self) -> list[float]:
        """The average precision of each slice; NaN without positives."""
        with np.errstate(invalid="ignore"):
            return list((self._precision / self._positives).tolist())

    def _without_ties(self, place: int, label: npt.NDArray[np.bool_]) -> None:
        """Count one slice's rows of a piece; the places of positives among all rows say everything."""
        before, lost = int(self._positives[place]), int(self._negatives[place])
        at = np.flatnonzero(label)
        won = np.arange(at.size)
        self._precision[place] += ((won + (before + 1)) / (at + (before + lost + 1))).sum()
        above = at - won + lost
        self._above[place] += 2 * int(above.sum())
        self._squares[place, 0] += _squared(above)
        passed = np.arange(before, before + at.size + 1, dtype=np.float64)  # by the negatives between two positives
        between = np.diff(at, prepend=-1, append=label.size) - 1.0
        self._squares[place, 1] += float((passed * passed * between).sum())
        self._positives[place] += at.size
        self._negatives[place] += label.size - at.size

    def _with_ties(self, place: int, group: npt.NDArray[Any], label: npt.NDArray[np.bool_]) -> None:
        """Count one slice's rows of a piece by groups of one score."""
        starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
        won = np.add.reduceat(label.astype(np.int64), starts)
        lost = np.diff(starts, append=group.size) - won
        won_before = np.cumsum(won) - won + self._positives[place]
        lost_before = np.cumsum(lost) - lost + self._negatives[place]
        through = won_before + won
        self._precision[place] += (won * (through / (through + lost_before + lost))).sum()
        above, below = 2 * lost_before + lost, 2 * won_before + won
        self._above[place] += int((won * above).sum())
        self._squares[place, 0] += float((won * (above / 2.0) ** 2).sum())
        self._squares[place, 1] += float((lost * (below / 2.0) ** 2).sum())
        self._positives[place] += int(won.sum())
        self._negatives[place] += int(lost.sum())

    def _area(self, place: int) -> Auc:
        positives, negatives = int(self._positives[place]), int(self._negatives[place])
        if not positives or not negatives:
            return auc_of_sums(positives, negatives, float("nan"), (0, 0))
        pairs, above = positives * negatives, int(self._above[place]) / 2
        first = (self._squares[place, 0] - above * above / positives) / negatives**2
        second = (self._squares[place, 1] - (pairs - above) ** 2 / negatives) / positives**2
        return auc_of_sums(positives, negatives, (pairs - above) / pairs, (float(first), float(second)))


def _squared(counts: npt.NDArray[Any]) -> float:
    numbers = counts.astype(np.float64)
    numbers *= numbers
    return float(numbers.sum())


def _piece(parts: list[tuple[Floats, Keys]]) -> Piece:
    """Parts that follow each other, each in order."""
    scores, keys = (np.concatenate(each) for each in zip(*parts, strict=True))
    change = scores[1:] != scores[:-1]
    ranks = None
    if not change.all():
        ranks = np.zeros(scores.size, np.uint32 if scores.size < 1 << 32 else np.uint64)
        np.cumsum(change, out=ranks[1:], dtype=ranks.dtype)
    return Piece((keys & keys.dtype.type(1)).astype(bool), keys >> keys.dtype.type(1), ranks)

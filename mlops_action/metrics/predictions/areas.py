"""Exact areas under ROC and precision-recall curves of every slice, from one sort of all rows.

Rows are sorted by score once, in pieces that fit a cache. Within a piece the position in that order is at most some 20
bits long, so that slice, position and label fit one integer: sorting such integers, which processors do several
numbers at a time, groups the piece by slice and keeps the order within each. Ties count half, as they should.
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
_SAMPLE = 1 << 16
_BINS = 1 << 14

Keys = npt.NDArray[Any]
Family = tuple[list[str], npt.NDArray[Any]]


@frozen
class Piece:
    """Rows in a range of scores, from the highest score down."""

    ranks: npt.NDArray[Any]
    """Twice the place among the piece's different scores: the lowest bit is free for the label; shape (rows,)."""
    keys: Keys
    different: int


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
        if self._rows <= 2 * PIECE_ROWS:
            yield _piece(chunks)
            return
        number = _numbering([scores for scores, _ in chunks], self._rows)
        starts = []
        for place, (scores, keys) in enumerate(chunks):
            of = number(scores)
            # Of small integers a stable sort is one pass that counts.
            order = np.argsort(of.astype(np.uint8) if of.max() < 1 << 8 else of, kind="stable")
            chunks[place] = scores[order], keys[order]
            starts.append(np.concatenate(([0], np.cumsum(np.bincount(of)))).tolist())
        for piece in range(max(map(len, starts)) - 1):
            ranges = [slice(*(start[min(each, len(start) - 1)] for each in (piece, piece + 1))) for start in starts]
            part = [(scores[r], keys[r]) for r, (scores, keys) in zip(ranges, chunks, strict=True)]
            if any(scores.size for scores, _ in part):
                yield _piece(part)


def _numbering(chunks: list[Floats], rows: int) -> Callable[[Floats], npt.NDArray[np.uint16]]:
    """What gives each score the number of its piece, which never falls as scores rise; some ``PIECE_ROWS`` are in each.

    By bins of one width, which cost next to nothing; where too many scores are in one of them, by limits of a sample.
    """
    low = min(float(scores.min()) for scores in chunks)
    width = max(float(scores.max()) for scores in chunks) - low
    scale = (_BINS - 1) / width if width > 0 else 0.0

    def binned(scores: Floats) -> npt.NDArray[np.uint16]:
        return np.multiply(scores - low, scale).astype(np.uint16)

    if math.isfinite(width) and math.isfinite(scale):
        counts = sum((np.bincount(binned(scores), minlength=_BINS) for scores in chunks), np.zeros(_BINS, np.int64))
        if counts.max() <= PIECE_ROWS:
            numbers = ((np.cumsum(counts) - counts) // PIECE_ROWS).astype(np.uint16)
            return lambda scores: numbers.take(binned(scores))
    sample = np.sort(np.concatenate([scores[:: max(1, rows // _SAMPLE)] for scores in chunks]))
    limits = np.unique(sample[:: max(1, sample.size * PIECE_ROWS // rows)][1:])
    return lambda scores: np.searchsorted(limits, scores, side="right").astype(np.uint16)


class Areas:
    """Sums of the slices of one family, from which areas and their variances follow."""

    def __init__(self, family: Family) -> None:
        """Take the names of the slices and the slice of each cell."""
        names, member = family
        self._member = member
        size = len(names)
        self._positives = np.zeros(size, np.int64)
        self._negatives = np.zeros(size, np.int64)
        self._above = np.zeros(size, np.int64)
        """Twice the number of pairs in which the negative is above the positive."""
        self._squares = np.zeros((size, 2))
        self._precision = np.zeros(size)

    def add(self, piece: Piece) -> None:
        """Go on downwards with the next piece."""
        bits = max(1, (2 * piece.different - 1).bit_length())
        size = self._positives.size
        wide = np.uint32 if bits + (size - 1).bit_length() <= 32 else np.uint64
        table = np.repeat(self._member.astype(np.uint64) << np.uint64(bits), 2)
        table[1::2] += np.uint64(1)
        packed: Keys = table.astype(wide).take(piece.keys)
        packed = np.bitwise_or(packed, piece.ranks, out=packed)
        if size > 1:
            packed.sort()
        limits = (np.arange(1, size, dtype=np.uint64) << np.uint64(bits)).astype(wide)
        starts = [0, *np.searchsorted(packed, limits).tolist(), packed.size]
        count = self._without_ties if piece.different == packed.size else self._with_ties
        for place in range(size):
            if starts[place] < starts[place + 1]:
                count(place, packed[starts[place] : starts[place + 1]])

    def areas(self) -> list[Auc]:
        """The area under the ROC curve of each slice."""
        return [self._area(place) for place in range(self._positives.size)]

    def average_precisions(self) -> list[float]:
        """The average precision of each slice; NaN without positives."""
        with np.errstate(invalid="ignore"):
            return list((self._precision / self._positives).tolist())

    def _without_ties(self, place: int, packed: npt.NDArray[Any]) -> None:
        """Count one slice's rows of a piece; the places of positives among all rows say everything."""
        label = (packed & packed.dtype.type(1)).astype(bool)
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

    def _with_ties(self, place: int, packed: npt.NDArray[Any]) -> None:
        """Count one slice's rows of a piece by groups of one score."""
        group, label = packed >> packed.dtype.type(1), packed & packed.dtype.type(1)
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


def _piece(chunks: list[tuple[Floats, Keys]]) -> Piece:
    scores = np.concatenate([scores for scores, _ in chunks])
    keys = np.concatenate([keys for _, keys in chunks])
    order = np.argsort(scores)
    scores = scores[order]
    change = scores[1:] != scores[:-1]
    narrow = np.uint32 if scores.size < 1 << 30 else np.uint64
    if change.all():
        return Piece(np.arange(0, 2 * scores.size, 2, dtype=narrow), keys[order], scores.size)
    ranks = np.zeros(scores.size, narrow)
    np.cumsum(change, out=ranks[1:], dtype=narrow)
    different = int(ranks[-1]) + 1
    return Piece(np.left_shift(ranks, 1, out=ranks), keys[order], different)

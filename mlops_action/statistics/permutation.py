"""The paired permutation test: had the two models' names been swapped on a row, nothing should change."""

from __future__ import annotations

import numpy as np

from mlops_action.statistics.clusters import Codes, Floats, sums
from mlops_action.statistics.results import Significance

PERMUTATIONS = 9999
MOST_EXACT = 14
"""Up to this many differences that are not 0, all 2^n signs are tried."""
_AT_ONCE = 4_000_000


def sign_flips(
    differences: Floats, stream: np.random.Generator, clusters: Codes | None = None, permutations: int = PERMUTATIONS
) -> Significance:
    """The two-sided test that per-row differences (candidate - baseline) have mean 0, by flipping their signs.

    Exact up to 14 differences that are not 0; else p = (1 + #{|T*| ≥ |T|}) / (1 + permutations), which is never 0
    (Phipson & Smyth 2010). Signs of one cluster are flipped together. The statistic is the mean difference.

    Args:
        differences: shape (rows,), finite.
        stream: ``generator(metric, slice)``.
        clusters: shape (rows,), numbered by ``clusters.codes_of``.
        permutations: how many random ones.
    """
    units = differences if clusters is None else sums(clusters, differences)
    units = units[units != 0]
    observed = float(units.sum())
    statistic = observed / differences.size if differences.size else 0.0
    limit = abs(observed) * (1 - 1e-12) - 1e-300
    if units.size <= MOST_EXACT:
        signs = 1 - 2 * (np.arange(2**units.size)[:, None] >> np.arange(units.size) & 1)
        extreme = int(np.count_nonzero(np.abs((signs * units).sum(axis=1)) >= limit))
        return Significance(extreme / 2**units.size, statistic, "paired-permutation-exact")
    extreme = sum(int(np.count_nonzero(np.abs(part) >= limit)) for part in _flipped(units, stream, permutations))
    return Significance((1 + extreme) / (1 + permutations), statistic, "paired-permutation")


def _flipped(units: Floats, stream: np.random.Generator, permutations: int) -> list[Floats]:
    """Sums of randomly signed units; equal sizes are flipped together by one binomial draw."""
    sizes, counts = np.unique(np.abs(units), return_counts=True)
    if sizes.size * 4 < units.size:
        return [((2 * stream.binomial(counts, 0.5, size=(permutations, sizes.size)) - counts) * sizes).sum(axis=1)]
    step, parts = max(1, _AT_ONCE // units.size), []
    for start in range(0, permutations, step):
        rows = min(step, permutations - start)
        bits = np.unpackbits(
            np.frombuffer(stream.bytes(rows * (units.size // 8 + 1)), dtype=np.uint8).reshape(rows, -1), axis=1
        )
        positive = np.where(bits[:, : units.size].astype(bool), units, 0.0).sum(axis=1)
        parts.append(2 * positive - units.sum())
    return parts

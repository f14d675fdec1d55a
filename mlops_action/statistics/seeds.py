"""The one seed of everything random here: the same data always get the same interval and the same verdict."""

from __future__ import annotations

import zlib

import numpy as np

SEED = 20_250_511
"""Recorded with every random method. Changing it changes verdicts: say so in the changelog."""


def generator(*purpose: str) -> np.random.Generator:
    """A PCG64 stream of its own for each purpose (metric, slice), so that one more slice changes no other's numbers."""
    return np.random.Generator(np.random.PCG64([SEED, *(zlib.crc32(part.encode()) for part in purpose)]))

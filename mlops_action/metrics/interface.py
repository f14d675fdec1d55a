"""The contract of a metric source."""

from __future__ import annotations

from typing import Protocol

from mlops_action.records import MetricReading


class MetricReader(Protocol):
    """Reads all numbers of one metric file.

    Laws, tested for every reader: a number is read exactly as it is written; NaN, text,
    null and truth values give a reading that says so and never a number; the order is
    the file's; each reading's origin is ``file`` and the place in it.
    """

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read ``data``; ``file`` is its name in messages and origins.

        Raises:
            MetricUnreadable: not in the reader's format, the same name twice, or absurdly large.
        """

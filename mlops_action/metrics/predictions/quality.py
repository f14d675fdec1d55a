"""Is a file of predictions what it should be? Rows, holes, repeated ids, and how much of the baseline it covers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mlops_action.metrics.predictions.files import batches
from mlops_action.metrics.predictions.roles import Roles

NULLS = "null_share."


class Quality:
    """Counts over one file, holes and repeated ids included, which metrics would refuse."""

    def __init__(self, path: Path, roles: Roles) -> None:
        """Read the columns of ``roles`` once.

        Raises:
            PredictionsUnreadable: the file cannot be read, or a column is missing.
            ToolMissing: the extra ``data`` is not installed.
        """
        self.rows = 0
        self.nulls = dict.fromkeys(roles.columns, 0)
        self._ids: list[Any] = []
        for data in batches(path, roles.columns):
            self.rows += data.num_rows
            for column in roles.columns:
                self.nulls[column] += _holes(data.column(column))
            if roles.id:
                self._ids.append(data.column(roles.id))

    @property
    def ids(self) -> Any:
        """All ids that are there, each once; None without a column of ids."""
        return pa.chunked_array(self._ids).unique().drop_null() if self._ids else None

    def value(self, metric: str) -> float | None:
        """One of ``metrics``; None where there is no such one."""
        simple: dict[str, Callable[[], float]] = {
            "rows": lambda: self.rows,
            "null_share": lambda: max(self.nulls.values()) / self.rows,
            "repeated_ids": self._repeated,
        }
        if metric.startswith(NULLS) and metric.removeprefix(NULLS) in self.nulls:
            return self.nulls[metric.removeprefix(NULLS)] / self.rows
        return simple[metric]() if metric in simple and (metric != "repeated_ids" or self._ids) else None

    def metrics(self) -> list[str]:
        """The names that ``value`` knows."""
        return [
            "rows",
            "null_share",
            *(f"{NULLS}{column}" for column in self.nulls),
            "repeated_ids",
            "join_coverage",
            "new_share",
        ]

    def _repeated(self) -> float:
        """Rows whose id is in an earlier row as well."""
        ids = pa.chunked_array(self._ids)
        return float(len(ids) - ids.null_count - len(ids.unique().drop_null()))


def coverage(metric: str, candidate: Quality, baseline: Quality) -> float | None:
    """``join_coverage``: share of the baseline's ids that the candidate has. ``new_share``: of its ids that it adds.

    None without ids.
    """
    ours, theirs = candidate.ids, baseline.ids
    if ours is None or theirs is None or not len(ours) or not len(theirs):
        return None
    if ours.type != theirs.type:
        ours, theirs = ours.cast(pa.string()), theirs.cast(pa.string())
    shared = int(pc.sum(pc.is_in(theirs, value_set=pa.chunked_array(ours).combine_chunks())).as_py() or 0)
    return shared / len(theirs) if metric == "join_coverage" else 1 - shared / len(ours)


def _holes(array: Any) -> int:
    """Rows without a value; NaN is one."""
    nan = int(pc.sum(pc.is_nan(array)).as_py() or 0) if pa.types.is_floating(array.type) else 0
    return int(array.null_count) + nan

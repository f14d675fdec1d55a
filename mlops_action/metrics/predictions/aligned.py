"""Two files of predictions of the same rows, put side by side by their ids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mlops_action.errors import PredictionsUnreadable
from mlops_action.frozen import frozen
from mlops_action.metrics.predictions.columns import Batch
from mlops_action.metrics.predictions.files import batches
from mlops_action.metrics.predictions.identity import Identities
from mlops_action.metrics.predictions.roles import Roles


@frozen
class Aligned:
    """The rows that both files hold, in the candidate's order.

    Truth, weights, clusters and slices are the candidate's in both, so that the two differ in what was predicted only.
    """

    candidate: Any
    baseline: Any
    candidate_rows: int
    baseline_rows: int
    relabelled: int
    """Rows whose truth is another one in the baseline's file."""

    @property
    def rows(self) -> int:
        """How many rows both files hold."""
        return int(self.candidate.num_rows)


def baseline_roles(roles: Roles) -> Roles:
    """The columns that are read of a baseline: what was predicted, the truth and the id."""
    return replace(roles, weight="", cluster="", slices=())


def aligned(candidate: Path, baseline: Path, roles: Roles) -> Aligned:
    """Read two files and join them by ``roles.id``.

    Raises:
        PredictionsUnreadable: a file cannot be read, ids are there twice or of different kinds, or no row is in both.
        ToolMissing: the extra ``data`` is not installed.
    """
    ours, theirs = _table(candidate, roles), _table(baseline, baseline_roles(roles))
    places = _places(ours, theirs, roles.id, str(baseline))
    rows = ours.num_rows, theirs.num_rows
    if places is not None:
        if places.null_count:
            shared = pc.is_valid(places)
            ours, places = ours.filter(shared), places.filter(shared)
        theirs = theirs.take(places)
    if not ours.num_rows:
        raise PredictionsUnreadable(
            f"no `{roles.id}` of the baseline is among the candidate's", origin=str(baseline), hint=_SAME_ROWS
        )
    truths = [column for column in (roles.label, *dict(roles.labels).values()) if column in theirs.column_names]
    relabelled = _relabelled(ours, theirs, truths)
    kept = [column for column in ours.column_names if column in truths or column not in theirs.column_names]
    for column in kept:
        place = theirs.column_names.index(column) if column in theirs.column_names else theirs.num_columns
        theirs = theirs.remove_column(place) if place < theirs.num_columns else theirs
        theirs = theirs.append_column(column, ours.column(column))
    return Aligned(ours, theirs, *rows, relabelled)


_SAME_ROWS = "models are compared on the same rows: use the same evaluation data, or leave out `id`"


def one_batch(table: Any, origin: str) -> Batch:
    """All rows of a table as one batch."""
    [batch] = table.combine_chunks().to_batches(max_chunksize=max(1, table.num_rows))
    return Batch(batch, origin, 1)


def _table(path: Path, roles: Roles) -> Any:
    """All rows of a file; ids are checked."""
    identities, found, first = Identities(), [], 1
    for data in batches(path, roles.columns, roles.slice_columns):
        identities.add(Batch(data, str(path), first), roles.id)
        found.append(data)
        first += data.num_rows
    identities.check(roles.id, str(path))
    return pa.Table.from_batches(found).unify_dictionaries().combine_chunks()


def _places(ours: Any, theirs: Any, column: str, origin: str) -> Any:
    """Row of the baseline for each row of the candidate, null where it has none; None when they are the same."""
    mine, other = (pa.chunked_array(each.column(column)).combine_chunks() for each in (ours, theirs))
    if mine.type != other.type:
        try:
            other = other.cast(mine.type)
        except pa.ArrowException as error:
            raise PredictionsUnreadable(
                f"`{column}` holds {other.type}, and in the candidate's file {mine.type}",
                origin=origin,
                hint=_SAME_ROWS,
            ) from error
    return None if mine.equals(other) else pc.index_in(mine, value_set=other)


def _relabelled(ours: Any, theirs: Any, columns: list[str]) -> int:
    changed = None
    for column in columns:
        mine, other = ours.column(column), theirs.column(column)
        if mine.type != other.type:
            mine, other = mine.cast(pa.string()), other.cast(pa.string())
        differs = pc.not_equal(mine, other)
        changed = differs if changed is None else pc.or_(changed, differs)
    return 0 if changed is None else int(pc.sum(changed).as_py() or 0)

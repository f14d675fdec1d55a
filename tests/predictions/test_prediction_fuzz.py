"""Whatever numbers a file holds: metrics that are numbers or undefined, or an error of ours; never a traceback."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from mlops_action.errors import MlopsError
from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Task

ODD = st.sampled_from([0.0, -0.0, 1.0, 0.5, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 2.5, -1.0])
NUMBER = st.one_of(ODD, st.floats(0, 1), st.none())
ROW = st.tuples(st.sampled_from([0, 1]), NUMBER, NUMBER, st.sampled_from(["a", "b"]), st.integers(0, 3))
ROLES = [
    Roles(Task.BINARY, "y", "p", slices=("g",)),
    Roles(Task.BINARY, "y", "p", slices=("g",), cluster="c"),
    Roles(Task.BINARY, "y", "p", weight="t", slices=("g",)),
    Roles(Task.BINARY, "y", "p", slices=("g",), calibration=True),
    Roles(Task.REGRESSION, "t", prediction="p", slices=("g",)),
    Roles(Task.MULTICLASS, "y", prediction="c", slices=("g",)),
    Roles(Task.RANKING, "y", "p", query="c", slices=("g",)),
]


@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: f"{roles.task}{roles.weight}{roles.cluster}")
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(ROW, min_size=0, max_size=12))
def test_any_numbers_give_metrics_or_an_error_that_says_what_is_wrong(roles: Roles, rows: list[tuple[object]]) -> None:
    types = {"y": pa.int64(), "p": pa.float64(), "t": pa.float64(), "g": pa.string(), "c": pa.int64()}
    columns = dict(zip(types, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(types, ())
    table = pa.table({name: pa.array(list(columns[name]), kind) for name, kind in types.items()})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.parquet"
        parquet.write_table(table, path)
        try:
            found = measure(path, roles)
        except MlopsError:
            return
    for each in found:
        for name, estimate in each.metrics.items():
            assert estimate.value is None or math.isfinite(estimate.value), name
            if estimate.interval and estimate.value is not None:
                assert not math.isnan(estimate.interval.low), name
                assert not math.isnan(estimate.interval.high), name
                slack = 1e-9 * (1 + abs(estimate.value))
                assert estimate.interval.low - slack <= estimate.interval.high, name

"""Files of predictions in every format, and everything that can be wrong with one."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from mlops_action.errors import BadValue, PredictionsUnreadable
from mlops_action.metrics.predictions import files
from mlops_action.metrics.predictions.measure import measure
from mlops_action.metrics.predictions.roles import Roles
from mlops_action.vocabulary import Task

ROLES = Roles(Task.BINARY, "y", "p", slices=("g",), id="id")


def table_of(**changed: Any) -> Any:
    columns = {"id": [1, 2, 3, 4], "y": [0, 1, 1, 0], "p": [0.1, 0.7, 0.4, 0.6], "g": ["a", "b", "a", "b"]}
    return pa.table({name: values for name, values in (columns | changed).items() if values is not None})


def written(folder: Path, ending: str, table: Any) -> Path:
    path = folder / f"predictions{ending}"
    if ending == ".parquet":
        parquet.write_table(table, path)
    elif ending == ".csv":
        csv.write_csv(table, path)
    elif ending == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        make = pa.ipc.new_stream if ending == ".ipc" else pa.ipc.new_file
        with make(str(path), table.schema) as writer:
            writer.write_table(table)
    return path


ALL_ENDINGS = [".parquet", ".csv", ".jsonl", ".arrow", ".ipc"]


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_every_format_gives_the_same_metrics(tmp_path: Path, ending: str) -> None:
    found = measure(written(tmp_path, ending, table_of()), ROLES)
    assert [each.name for each in found] == ["", "g=a", "g=b"]
    assert found == measure(written(tmp_path, ".parquet", table_of()), ROLES)


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_small_batches_change_nothing(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, ending, table_of())
    whole = measure(path, ROLES)
    monkeypatch.setattr(files, "BATCH_ROWS", 1)
    assert measure(path, ROLES) == whole


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_a_missing_column_is_named_with_the_nearest_one(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path, ending, table_of(p=None, prob=[0.1, 0.2, 0.3, 0.4]))
    with pytest.raises(PredictionsUnreadable, match="no column `p`") as caught:
        measure(path, ROLES)
    assert "prob" in caught.value.hint


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_a_hole_is_named_with_its_row(tmp_path: Path, ending: str) -> None:
    with pytest.raises(PredictionsUnreadable, match="`p` is empty in row 3"):
        measure(written(tmp_path, ending, table_of(p=[0.1, 0.2, None, 0.4])), ROLES)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("ending", [".parquet", ".csv", ".arrow"])
def test_what_is_no_finite_number_is_named_with_its_row(tmp_path: Path, ending: str, bad: float) -> None:
    with pytest.raises(PredictionsUnreadable, match="neither good nor bad in row 2"):
        measure(written(tmp_path, ending, table_of(p=[0.1, bad, 0.3, 0.4])), ROLES)


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_text_among_numbers_is_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(PredictionsUnreadable, match="`p` must hold numbers"):
        measure(written(tmp_path, ending, table_of(p=["0.1", "high", "0.3", "0.4"])), ROLES)


@pytest.mark.parametrize("ids", [[1, 2, 2, 3], ["a", "b", "c", "a"]])
def test_an_id_that_is_there_twice_is_refused(tmp_path: Path, ids: list[object]) -> None:
    with pytest.raises(PredictionsUnreadable, match="more than once"):
        measure(written(tmp_path, ".parquet", table_of(id=ids)), ROLES)


def test_a_third_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictionsUnreadable, match="`2`, which is neither `1` nor `0`"):
        measure(written(tmp_path, ".parquet", table_of(y=[0, 1, 2, 0])), ROLES)


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_a_file_without_rows_is_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(PredictionsUnreadable):
        measure(written(tmp_path, ending, table_of().slice(0, 0)), ROLES)


@pytest.mark.parametrize("ending", ALL_ENDINGS)
def test_an_empty_file_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"empty{ending}"
    path.write_bytes(b"")
    with pytest.raises(PredictionsUnreadable):
        measure(path, ROLES)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
def test_a_parquet_file_that_is_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    path = written(tmp_path, ".parquet", table_of())
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(PredictionsUnreadable, match="cannot be read"):
        measure(path, ROLES)


def test_a_file_that_is_not_there_is_refused_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(PredictionsUnreadable, match="there is no such file"):
        measure(tmp_path / "none.parquet", ROLES)


def test_an_unknown_ending_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(PredictionsUnreadable, match="cannot be read as predictions") as caught:
        measure(tmp_path / "predictions.xlsx", ROLES)
    assert ".parquet" in caught.value.hint


def test_a_slice_column_with_a_value_for_every_row_is_refused(tmp_path: Path) -> None:
    rows = (1 << 20) + 1
    table = pa.table({"y": np.zeros(rows, np.int8), "p": np.zeros(rows), "g": np.arange(rows)})
    with pytest.raises(PredictionsUnreadable, match="combinations"):
        measure(written(tmp_path, ".parquet", table), Roles(Task.BINARY, "y", "p", slices=("g",)))


@pytest.mark.parametrize("roles", [Roles(Task.BINARY, "y"), Roles(Task.BINARY, "", "p"), Roles(Task.REGRESSION, "y")])
def test_roles_that_leave_out_what_the_task_needs_are_refused(roles: Roles) -> None:
    with pytest.raises(BadValue):
        measure(Path("predictions.parquet"), roles)

"""Files of predictions as batches of columns: Parquet, CSV, Arrow and JSON Lines, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_action.errors import ColumnMissing, PredictionsUnreadable, ToolMissing, nearest

BATCH_ROWS = 1 << 18
BLOCK_BYTES = 1 << 24

_READERS = {
    ".parquet": "_parquet",
    ".csv": "_csv",
    ".arrow": "_arrow",
    ".feather": "_arrow",
    ".ipc": "_arrow",
    ".jsonl": "_json_lines",
    ".ndjson": "_json_lines",
}
ENDINGS = tuple(_READERS)


def batches(path: Path, columns: tuple[str, ...], coded: tuple[str, ...] = ()) -> Iterator[Any]:
    """The columns of a file as ``pyarrow.RecordBatch``es of at most some 100,000 rows.

    Args:
        path: the file; its ending says its format.
        columns: those to be read.
        coded: those of them that hold few different values, read as dictionaries where the format can.

    Raises:
        PredictionsUnreadable: no such file, not of its format, cut off, a column is missing, or there are no rows.
        ToolMissing: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ToolMissing(
            "predictions are read with numpy and pyarrow, which are not installed",
            hint='install them with `pip install "mlops-action[data]"`',
        ) from error
    name = _READERS.get(path.suffix.lower())
    if name is None:
        raise PredictionsUnreadable(
            f"files that end in `{path.suffix}` cannot be read as predictions",
            origin=str(path),
            hint=f"known endings: {', '.join(f'`{each}`' for each in ENDINGS)}",
        )
    rows = 0
    try:
        for batch in globals()[name](path, columns, coded):
            rows += batch.num_rows
            if batch.num_rows:
                yield batch
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        cause = "there is no such file" if isinstance(error, FileNotFoundError) else str(error).splitlines()[0]
        raise PredictionsUnreadable(f"the predictions cannot be read: {cause}", origin=str(path)) from error
    if not rows:
        raise PredictionsUnreadable("the file of predictions has no rows", origin=str(path))


def _parquet(path: Path, columns: tuple[str, ...], coded: tuple[str, ...]) -> Iterator[Any]:
    from pyarrow import parquet

    with parquet.ParquetFile(path, read_dictionary=list(coded), pre_buffer=False) as file:
        _check(path, file.schema_arrow.names, columns)
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns), use_threads=False)


def _csv(path: Path, columns: tuple[str, ...], coded: tuple[str, ...]) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import csv

    options = csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
    with csv.open_csv(path, read_options=options) as reader:
        names = reader.schema.names
    _check(path, names, columns)
    convert = csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(coded, pa.string()),
        null_values=["", "NA", "N/A", "#N/A", "NULL", "null"],
        strings_can_be_null=False,
    )
    with csv.open_csv(path, read_options=options, convert_options=convert) as reader:
        yield from reader


def _arrow(path: Path, columns: tuple[str, ...], coded: tuple[str, ...]) -> Iterator[Any]:
    import pyarrow as pa

    del coded
    with pa.memory_map(str(path)) as source:
        magic = source.read(6)
        source.seek(0)
        if magic == b"ARROW1":
            file = pa.ipc.open_file(source)
            _check(path, file.schema.names, columns)
            for number in range(file.num_record_batches):
                yield from _cut(_checked(file.get_batch(number).select(list(columns))))
            return
        stream = pa.ipc.open_stream(source)
        _check(path, stream.schema.names, columns)
        for batch in stream:
            yield from _cut(_checked(batch.select(list(columns))))


def _checked(batch: Any) -> Any:
    """The batch itself: Arrow files are used as they lie there, and one damaged offset would crash the process."""
    batch.validate(full=True)
    return batch


def _json_lines(path: Path, columns: tuple[str, ...], coded: tuple[str, ...]) -> Iterator[Any]:
    from pyarrow import json

    del coded
    options = json.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
    reader = json.open_json(path, read_options=options) if hasattr(json, "open_json") else None
    if reader is None:
        table = json.read_json(path, read_options=options)
        _check(path, table.schema.names, columns)
        yield from table.select(list(columns)).to_batches(max_chunksize=BATCH_ROWS)
        return
    with reader:
        _check(path, reader.schema.names, columns)
        for batch in reader:
            yield batch.select(list(columns))


def _cut(batch: Any) -> Iterator[Any]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _check(path: Path, names: list[str], columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in names:
            raise ColumnMissing(f"there is no column `{column}`", origin=str(path), hint=nearest(column, tuple(names)))
        if names.count(column) > 1:
            raise PredictionsUnreadable(f"the column `{column}` is there {names.count(column)} times", origin=str(path))

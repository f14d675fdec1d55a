"""Metrics from CSV: one metric in each row, or one row with a column for each metric."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Readings, decoded, exact
from mlops_action.records import MetricReading

_ACCEPTED = (
    "write the header `metric,value` (or `metric,value,slice`) and one row for each metric, "
    "or a header of names and exactly one row of values"
)
_NUMBER = re.compile(
    r"[-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]+)?|nan|inf(?:inity)?)", re.IGNORECASE | re.ASCII
)
_LONG = ("metric", "value", "slice")

Row = tuple[int, list[str]]
"""Number of the line, and the cells."""


class CsvFile:
    """Reads the long form (``metric,value[,slice]``) and the wide form (one row of values)."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: of another shape, the same name twice, or absurdly large.
        """
        rows = _rows(decoded(data, file), file)
        line, header = next(rows)
        unnamed = [str(place) for place, name in enumerate(header, 1) if not name]
        if unnamed:
            raise MetricUnreadable(
                f"column {', '.join(unnamed[:5])} has no name",
                origin=f"{file}:{line}",
                hint="leave out row names: `index=False` in pandas, `row.names = FALSE` in R",
            )
        return _long(header, rows, file) if {"metric", "value"} <= set(header) else _wide(header, rows, file)


def _rows(text: str, file: str) -> Iterator[Row]:
    """Rows that are not blank, all as wide as the first one."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    width = 0
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if not any(row):
                continue
            width = width or len(row)
            if len(row) != width:
                raise MetricUnreadable(
                    f"the row has {len(row)} cells, the header has {width}",
                    origin=f"{file}:{reader.line_num}",
                    hint="put a text that holds a comma in double quotes",
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise MetricUnreadable(f"not CSV: {error}", origin=f"{file}:{reader.line_num}", hint=_ACCEPTED) from None
    if not width:
        raise MetricUnreadable("the metric file is empty", origin=file, hint=_ACCEPTED)


def _long(header: list[str], rows: Iterator[Row], file: str) -> list[MetricReading]:
    strange = [name for name in header if name not in _LONG or header.count(name) > 1]
    if strange:
        raise MetricUnreadable(f"the column `{strange[0]}` is unknown or repeated", origin=file, hint=_ACCEPTED)
    found = Readings()
    for line, cells in rows:
        origin = f"{file}:{line}"
        row = dict(zip(header, cells, strict=True))
        found.add(row["metric"], _value(row["value"], origin), origin, row.get("slice", ""))
    return found.all


def _wide(header: list[str], rows: Iterator[Row], file: str) -> list[MetricReading]:
    line, cells = next(rows, (0, []))
    second = next(rows, None)
    if not line or second:
        raise MetricUnreadable(
            "there is more than one row of values" if second else "there is no row of values",
            origin=f"{file}:{second[0]}" if second else file,
            hint=_ACCEPTED,
        )
    found = Readings()
    origin = f"{file}:{line}"
    for name, cell in zip(header, cells, strict=True):
        found.add(name, _value(cell, origin), origin)
    return found.all


def _value(cell: str, origin: str) -> Decimal | None:
    return exact(cell, origin) if _NUMBER.fullmatch(cell) else None

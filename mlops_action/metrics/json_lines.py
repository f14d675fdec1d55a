"""Metrics from JSON Lines: one metric in each line, or a log whose last value of each metric counts."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics import TESTS_LINE_BY_LINE
from mlops_action.metrics.collect import Leaf, Readings, decoded, leaves
from mlops_action.metrics.json_text import parsed, refuse_twice, value_of
from mlops_action.records import Json, MetricReading

_LONG = ({"metric", "value"}, {"metric", "value", "slice"})
_ACCEPTED = 'write `{"metric": "accuracy", "value": 0.95}` in each line, or one object of numbers for each moment'


class JsonLines:
    """Reads lines ``{"metric": …, "value": …[, "slice": …]}``, or a training's log: the last value of each counts."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: a line is no JSON object, a metric of the long form is there twice, absurdly large, or
                the lines are the single tests of an evaluation.
        """
        lines = [line for line in enumerate(decoded(data, file).split("\n"), 1) if line[1].strip()]
        rows = [(number, _object(text, f"{file}:{number}")) for number, text in lines]
        if all(set(row) in _LONG for _, row in rows):
            return _long(rows, file)
        _refuse_tests(*rows[0], file)
        return _log(rows, file)


def _object(text: str, origin: str) -> Mapping[str, Json]:
    row = parsed(text, origin)
    if not isinstance(row, dict):
        raise MetricUnreadable("the line does not hold an object", origin=origin, hint=_ACCEPTED)
    return row


def _long(rows: list[tuple[int, Mapping[str, Json]]], file: str) -> list[MetricReading]:
    found = Readings()
    for number, row in rows:
        origin = f"{file}:{number}"
        for key in row:
            refuse_twice(row[key], key, origin)
        name, part = row["metric"], row.get("slice", "")
        if type(name) is not str or type(part) is not str:
            raise MetricUnreadable("a metric's name or slice is not a text", origin=origin, hint=_ACCEPTED)
        found.add(name, value_of(Leaf("value", row["value"], "/value"), origin), origin, part)
    return found.all


def _refuse_tests(number: int, row: Mapping[str, Json], file: str) -> None:
    """Refuse an evaluation's single tests: read as a log, the last test alone would speak for all of them."""
    for tool, marks, instead in TESTS_LINE_BY_LINE:
        if all(mark in row for mark in marks):
            raise MetricUnreadable(
                f"each line is one test of {tool}, none is a metric",
                origin=f"{file}:{number}",
                hint=f"name {instead} instead",
            )


def _log(rows: list[tuple[int, Mapping[str, Json]]], file: str) -> list[MetricReading]:
    last: dict[str, MetricReading] = {}
    for number, row in rows:
        found = Readings()
        for leaf in leaves(dict(row), f"{file}:{number}#"):
            origin = f"{file}:{number}#{leaf.pointer}"
            found.add(leaf.name, value_of(leaf, origin), origin)
        last.update((reading.name, reading) for reading in found.all)
    counted = Readings()
    for reading in last.values():
        counted.add(reading.name, reading.value, reading.origin)
    return counted.all

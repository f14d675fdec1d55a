"""The history of a metric: a file of JSON Lines, one line for each earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from mlops_action.canonical import canonical_bytes
from mlops_action.codec import encode
from mlops_action.errors import MetricUnreadable
from mlops_action.frozen import frozen
from mlops_action.metrics.collect import Leaf, Readings, Written, leaves
from mlops_action.metrics.json_text import parsed, refuse_twice, value_of
from mlops_action.records import Json, MetricReading

SCHEMA = "mlops-action/history/v1"
MAX_BYTES = 50_000_000
_NOT_METRICS = {"schema", "time", "commit", "outcome", "tool"}


@frozen
class PastRun:
    """What one earlier run measured; time and commit are empty where the file does not tell."""

    readings: tuple[MetricReading, ...]
    time: str = ""
    commit: str = ""

    def age(self, now: datetime) -> timedelta | None:
        """How long ago it was; None when that is not known."""
        try:
            then = datetime.fromisoformat(self.time)
        except ValueError:
            return None
        return now - then if then.tzinfo else None


def read_history(data: bytes, file: str) -> tuple[PastRun, ...]:
    """The runs of a history, in the order of the file: the oldest first.

    A line is what ``history_line`` writes, or a plain object of numbers that may hold ``time`` and ``commit`` as well.

    Raises:
        MetricUnreadable: a line is no such object, or the file is absurdly large.
    """
    if len(data) > MAX_BYTES:
        hint = "keep the newest runs and leave out the rest"
        raise MetricUnreadable(f"the history has more than {MAX_BYTES} bytes", origin=file, hint=hint)
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise MetricUnreadable(f"not UTF-8 text: {error.reason} at byte {error.start}", origin=file) from None
    return tuple(_run(line, f"{file}:{number}") for number, line in enumerate(lines, 1) if line.strip())


def _run(line: str, origin: str) -> PastRun:
    row = parsed(line, origin)
    if not isinstance(row, dict):
        raise MetricUnreadable("the line does not hold an object", origin=origin, hint="write one object for each run")
    for key, value in row.items():
        refuse_twice(value, key, origin)
    time, commit = (str(row.get(key) or "") for key in ("time", "commit"))
    readings = _recorded(row.get("readings"), origin) if row.get("schema") == SCHEMA else _plain(row, origin)
    return PastRun(tuple(readings), time, commit)


def _recorded(readings: Json, origin: str) -> list[MetricReading]:
    found = Readings()
    if not isinstance(readings, list):
        raise MetricUnreadable("the run has no list of `readings`", origin=origin)
    for place, each in enumerate(readings):
        where = f"{origin}#/readings/{place}"
        fields = each if isinstance(each, Mapping) else {}
        name, part, value = (fields.get(key, "") for key in ("name", "slice", "value"))
        if type(name) is not str or type(part) is not str:
            raise MetricUnreadable("a metric's name or slice is not a text", origin=where)
        # A number that no double holds is written as text.
        exactly = Written(value) if type(value) is str and value else value
        found.add(name, value_of(Leaf("value", exactly, "/value"), where), where, part)
    return found.all


def _plain(row: Mapping[str, Json], origin: str) -> list[MetricReading]:
    found = Readings()
    for leaf in leaves({key: value for key, value in row.items() if key not in _NOT_METRICS}, f"{origin}#"):
        where = f"{origin}#{leaf.pointer}"
        found.add(leaf.name, value_of(leaf, where), where)
    return found.all


def history_line(time: str, commit: str, outcome: str, readings: Sequence[MetricReading]) -> bytes:
    """The line that a run adds to a history: its finite numbers, each name and slice once, in a fixed order."""
    finite = [each for each in readings if each.value is not None and each.value.is_finite()]
    values = {(each.name, each.slice): each.value for each in finite}
    rows = [
        {"name": name, **({"slice": part} if part else {}), "value": encode(value)}
        for (name, part), value in sorted(values.items())
    ]
    record = {"schema": SCHEMA, "time": time, "commit": commit, "outcome": outcome, "readings": rows}
    return canonical_bytes(record) + b"\n"

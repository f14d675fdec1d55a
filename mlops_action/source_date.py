"""`SOURCE_DATE_EPOCH`: the latest time that a document may tell, so that equal runs make equal documents.

Only documents are told: time-outs, the age of files, windows of histories and the last days of
waivers go by the real clock, for a variable must never decide what a gate says.
The variable is described at https://reproducible-builds.org/specs/source-date-epoch/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from mlops_action.context import written
from mlops_action.errors import BadValue
from mlops_action.frozen import frozen
from mlops_action.records import Json, RunResult

VARIABLE = "SOURCE_DATE_EPOCH"
_LATEST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def source_date(value: str, origin: str = VARIABLE) -> str:
    """The moment that a value of the variable means, as ``Context.timestamp`` writes moments.

    Raises:
        BadValue: it is no whole number of seconds, or lies beyond the year 9999.
    """
    digits = value.lstrip("0") or "0"
    if not re.fullmatch("[0-9]+", value) or len(digits) > len(str(_LATEST)) or int(digits) > _LATEST:
        raise BadValue(
            f"`{VARIABLE}` is {value[:40]!r}, not a whole number of seconds since 1970",
            origin=origin,
            hint=f"set it with `export {VARIABLE}=$(git log -1 --format=%ct)`, or unset it",
        )
    return written(datetime.fromtimestamp(int(digits), UTC))


def wrong_source_date(
    env: Mapping[str, str], configured: Mapping[str, str], origin: Callable[[str], str]
) -> Iterator[BadValue]:
    """What is wrong with the value that a run would go by: told before the run, not when its manifest shall be written.

    Args:
        env: the process's environment.
        configured: the variables of the configuration, which win.
        origin: tells where a JSON pointer of the configuration is.
    """
    value = {**env, **configured}.get(VARIABLE)
    if value is None:
        return
    try:
        source_date(value, origin(f"/environment/set/{VARIABLE}") if VARIABLE in configured else VARIABLE)
    except BadValue as error:
        yield error


@frozen
class DocumentTimes:
    """The times that the documents of a run tell.

    Args:
        latest: no time is later than this; empty when times are told as they were.
    """

    latest: str = ""

    @classmethod
    def of(cls, run: RunResult) -> DocumentTimes:
        """By the variable as the run recorded it: a manifest that is assembled elsewhere is the same.

        A value that makes no sense is refused before a run; in a record that says one all the same, times stay.
        """
        machine = next((fact.identity for fact in run.facts if fact.name == "machine"), None)
        switches = machine.get("switches") if isinstance(machine, dict) else None
        value = switches.get(VARIABLE) if isinstance(switches, dict) else None
        try:
            return cls(source_date(value)) if isinstance(value, str) else cls()
        except BadValue:
            return cls()

    def told(self, text: str) -> str:
        """``text`` with each moment in it that is too late replaced by the latest one."""
        return _TIME.sub(lambda found: min(found.group(), self.latest), text) if self.latest else text

    def mark(self, run: RunResult) -> Json:
        """What a record says of this, when it makes a difference: whoever reads the times has to know."""
        return {"times-from": VARIABLE} if any(self.told(each) != each for each in _times(run)) else {}


def _times(run: RunResult) -> Iterator[str]:
    yield from (run.started, run.finished)
    yield from (each.started for each in run.steps)

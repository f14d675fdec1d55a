"""Metrics from JUnit XML: counts, pass rate and time of the tests, and the properties of the suites."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Context, Decimal
from xml.parsers import expat

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import MAX_DEPTH, Readings, decoded, exact, share
from mlops_action.records import MetricReading

NUMBER = re.compile(
    r"[-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]+)?|nan|inf(?:inity)?)", re.IGNORECASE | re.ASCII
)
_TIMES = Context(prec=50)
_ENDS = {"failure": "failed", "error": "errors", "skipped": "skipped"}


class JunitFile:
    """Reads ``tests.total``, ``.passed``, ``.failed``, ``.errors``, ``.skipped``, ``.pass_rate`` and ``.seconds``.

    Those of one suite have the slice ``suite=NAME``. Skipped tests are no part of ``pass_rate``. Test cases are
    counted, whatever the attributes of the suites say. A suite's ``<property>`` is a metric of its own name.
    """

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: not JUnit XML, a document type, a property twice, or absurdly large.
        """
        text = decoded(data, file)
        reader = _Reader(file)
        try:
            reader.parser.Parse(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode(), True)
        except expat.ExpatError as error:
            raise MetricUnreadable(
                f"not XML: {expat.errors.messages[error.code]}",
                origin=f"{file}:{error.lineno}:{error.offset + 1}",
                hint="a metric file that ends in `.xml` is a JUnit report",
            ) from None
        for name, tally in sorted(reader.suites.items()):
            if name or tally.total:
                _add(tally, f"suite={name}", file, reader.found)
        if reader.suites:
            _add(_sum(reader.suites.values()), "", file, reader.found)
        return reader.found.all


@dataclass
class _Tally:
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("total", *_ENDS.values()), 0))
    seconds: Decimal | None = Decimal(0)

    @property
    def total(self) -> int:
        return self.counts["total"]


class _Reader:
    """Walks the document once; entities of its own are refused, as nobody needs them in a report."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found = Readings()
        self.suites: dict[str, _Tally] = {}
        self.open: list[str] = []
        self.names: list[str] = []
        self.end = ""
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._close

    def _origin(self) -> str:
        return f"{self.file}:{self.parser.CurrentLineNumber}"

    def _refuse_doctype(self, *_: object) -> None:
        raise MetricUnreadable("a document type has no place in a JUnit report", origin=self._origin())

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.open and name not in {"testsuites", "testsuite"}:
            raise MetricUnreadable(f"`<{name[:40]}>` is not a JUnit report", origin=self._origin())
        if len(self.open) > MAX_DEPTH:
            raise MetricUnreadable(f"nested more than {MAX_DEPTH} deep", origin=self._origin())
        parent = self.open[-1] if self.open else ""
        self.open.append(name)
        if name == "testsuite":
            self.names.append(attributes.get("name", ""))
            self.suites.setdefault(self.names[-1], _Tally())
        elif name == "testcase":
            self.end = "passed"
            self._take_time(attributes.get("time", "0"))
        elif parent == "testcase" and name in _ENDS and self.end in {"passed", "skipped"}:
            self.end = _ENDS[name]
        elif name == "property" and "testcase" not in self.open:
            value = attributes.get("value", "")
            number = exact(value, self._origin()) if NUMBER.fullmatch(value.strip()) else None
            part = f"suite={self.names[-1]}" if self.names and self.names[-1] else ""
            self.found.add(attributes.get("name", ""), number, self._origin(), part)

    def _take_time(self, text: str) -> None:
        tally = self.suites.setdefault(self.names[-1] if self.names else "", _Tally())
        number = exact(text, self._origin()) if NUMBER.fullmatch(text.strip()) else None
        tally.seconds = _added(tally.seconds, number if number is not None and number.is_finite() else None)

    def _close(self, name: str) -> None:
        self.open.pop()
        if name == "testcase":
            counts = self.suites[self.names[-1] if self.names else ""].counts
            counts["total"] += 1
            if self.end != "passed":
                counts[self.end] += 1
        elif name == "testsuite":
            self.names.pop()


def _added(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else _TIMES.add(one, other)


def _sum(tallies: Iterable[_Tally]) -> _Tally:
    whole = _Tally()
    for tally in tallies:
        whole.seconds = _added(whole.seconds, tally.seconds)
        for key, count in tally.counts.items():
            whole.counts[key] += count
    return whole


def _add(tally: _Tally, part: str, file: str, found: Readings) -> None:
    """Add the figures of a suite; where no test ran, none passed and none failed: nobody looked."""
    counts = {key: Decimal(count) for key, count in tally.counts.items()}
    ran = counts["total"] - counts["skipped"]
    counts["passed"] = ran - counts["failed"] - counts["errors"]
    shown = {key: count if ran or key in {"total", "skipped"} else None for key, count in counts.items()}
    for name, value in (*shown.items(), ("pass_rate", share(counts["passed"], ran)), ("seconds", tally.seconds)):
        found.add(f"tests.{name}", value, f"{file}#{part or 'all suites'}", part)

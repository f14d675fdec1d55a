"""Metrics from the text format of OpenMetrics and Prometheus; GitLab's metrics reports are such files."""

from __future__ import annotations

import re
from decimal import Decimal

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Readings, decoded, exact
from mlops_action.records import MetricReading

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(?:,|(?=\}))')
_REST = re.compile(r"\s+(\S+)(?:\s+[-+0-9.eE]+)?(?:\s+#\s*\{.*)?")
_VALUE = re.compile(r"[-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[nN]a[nN]|[iI]nf(?:inity)?)")
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_EXAMPLE = 'write lines such as `accuracy{country="NO"} 0.95`'


class OpenMetrics:
    """Reads ``accuracy{country="NO"} 0.95`` as the metric ``accuracy`` on the slice ``country=NO``."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all samples, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: not in this format, the same labels twice, or absurdly large.
        """
        found = Readings()
        for number, line in enumerate(decoded(data, file).split("\n"), 1):
            text = line.strip()
            if text == "# EOF":
                break
            if text and not text.startswith("#"):
                _take(text, f"{file}:{number}", found)
        return found.all


def _take(text: str, origin: str, found: Readings) -> None:
    name = _NAME.match(text)
    labels, end = _labels(text, name.end()) if name else ([], 0)
    rest = _REST.fullmatch(text, end)
    if name is None or rest is None:
        raise MetricUnreadable(f"not OpenMetrics: `{text[:60]}`", origin=origin, hint=_EXAMPLE)
    number: Decimal | None = exact(rest[1], origin) if _VALUE.fullmatch(rest[1]) else None
    found.add(name[0], number, origin, ",".join(f"{key}={_plain(value)}" for key, value in labels))


def _labels(text: str, start: int) -> tuple[list[tuple[str, str]], int]:
    """The labels in braces from ``start`` on, and where they end; where they do not end there is no sample."""
    labels: list[tuple[str, str]] = []
    at = start
    if text[at : at + 1] != "{":
        return labels, at
    at += 1
    while label := _LABEL.match(text, at):
        labels.append((label[1], label[2]))
        at = label.end()
    return labels, at + 1 if text[at : at + 1] == "}" else len(text)


def _plain(value: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), value)

"""``metrics.txt``: every reading and verdict as OpenMetrics text, for GitLab's merge requests and for Prometheus."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal

from mlops_action.formats.interface import Files, Told
from mlops_action.records import MetricReading

METRICS_FILE = "metrics.txt"
FAMILY, GATE_FAMILY = "mlops_metric", "mlops_gate"
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


class OpenMetrics:
    """One gauge with a sample for each reading; its name, slice and step are labels, as they may hold anything."""

    def render(self, told: Told) -> Files:
        """``metrics.txt``, UTF-8, ending with ``# EOF``."""
        lines = [f"# TYPE {FAMILY} gauge", f"# HELP {FAMILY} A metric of the model."]
        seen: set[str] = set()
        for step in told.account.run.steps if told.account.run is not None else ():
            for reading in step.readings:
                labels = _labels(reading, step.name)
                if labels not in seen:  # two samples of the same labels are not allowed
                    seen.add(labels)
                    lines.append(f"{FAMILY}{{{labels}}} {_number(reading)}")
        lines += _gates(told)
        return ((METRICS_FILE, ("\n".join([*lines, "# EOF"]) + "\n").encode()),)


def _gates(told: Told) -> Iterator[str]:
    """What each gate said, and the figures that it said it on."""
    verdicts = told.account.verdicts.verdicts if told.account.verdicts is not None else ()
    families: dict[str, list[str]] = {}
    for each in verdicts:
        named = {"gate": each.gate, "metric": each.metric, "slice": each.slice}
        said = {"outcome": str(each.outcome), "severity": each.severity, "waived": "true" if each.waivers else ""}
        shown = each.evidence
        figures = {
            "outcome": (said, Decimal(1)),
            "value": ({}, each.value),
            "baseline_value": ({}, each.baseline_value),
            "interval_low": ({}, shown.low if shown else None),
            "interval_high": ({}, shown.high if shown else None),
            "rows": ({}, Decimal(shown.rows) if shown else None),
        }
        for name, (more, value) in figures.items():
            if value is not None:
                labels = _labelled(named | more)
                families.setdefault(name, []).append(f"{GATE_FAMILY}_{name}{{{labels}}} {_text(value)}")
    for name, samples in families.items():
        yield f"# TYPE {GATE_FAMILY}_{name} gauge"
        yield from dict.fromkeys(samples)


def _labels(reading: MetricReading, step: str) -> str:
    return _labelled({"name": reading.name, "slice": reading.slice, "step": step})


def _labelled(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items() if value)


def _escaped(text: str) -> str:
    printable = re.sub(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]", "\ufffd", text)
    return "".join(_ESCAPES.get(char, char) for char in printable)


def _number(reading: MetricReading) -> str:
    return _text(reading.value) if reading.value is not None else "NaN"


def _text(number: Decimal) -> str:
    value = float(number)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)

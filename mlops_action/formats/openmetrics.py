"""``metrics.txt``: every reading as OpenMetrics text, for GitLab's merge requests and for Prometheus."""

from __future__ import annotations

import math
import re

from mlops_action.formats.interface import Files, Told
from mlops_action.records import MetricReading

METRICS_FILE = "metrics.txt"
FAMILY = "mlops_metric"
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
        return ((METRICS_FILE, ("\n".join([*lines, "# EOF"]) + "\n").encode()),)


def _labels(reading: MetricReading, step: str) -> str:
    labels = {"name": reading.name, "slice": reading.slice, "step": step}
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items() if value)


def _escaped(text: str) -> str:
    printable = re.sub(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]", "\ufffd", text)
    return "".join(_ESCAPES.get(char, char) for char in printable)


def _number(reading: MetricReading) -> str:
    value = float(reading.value) if reading.value is not None else math.nan
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)

"""Plain data of YAML and TOML to readings: nested mappings and lists become dotted names."""

from __future__ import annotations

from decimal import Decimal

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Readings, Written, exact, leaves
from mlops_action.records import Json, MetricReading
from mlops_action.structure import WrittenFloat, exact_number


def readings_of(root: Json, file: str, example: str) -> list[MetricReading]:
    """The readings of a parsed file.

    Raises:
        MetricUnreadable: no mapping, the same name twice, or absurdly large.
    """
    if not isinstance(root, dict):
        raise MetricUnreadable("the file does not hold a mapping", origin=file, hint=example)
    found = Readings()
    for leaf in leaves(root, f"{file}#"):
        origin = f"{file}#{leaf.pointer}"
        found.add(leaf.name, number_of(leaf.value, origin), origin)
    return found.all


def number_of(value: Json, origin: str) -> Decimal | None:
    """The exact number of a plain value, or None for text, dates, null and truth values.

    Raises:
        MetricUnreadable: so long or so large that it cannot be meant.
    """
    if isinstance(value, Written):
        return exact(value.replace("_", ""), origin)
    if isinstance(value, WrittenFloat):
        return exact(value.written, origin)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return exact(str(exact_number(value)), origin)

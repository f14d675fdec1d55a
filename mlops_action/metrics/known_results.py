"""JSON files of known tools, told by the keys that only they write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics import RESULTS
from mlops_action.metrics.collect import Readings
from mlops_action.records import Json
from mlops_action.registry import load

ReadResults = Callable[[Mapping[str, Json], str, Readings], None]
"""Adds the numbers of a file's root object; the text is what stands before the JSON pointer in an origin."""


def reader_of(root: Mapping[str, Json]) -> ReadResults | None:
    """The reader for the results of a known tool, or None for plain JSON."""
    for entry, marks in RESULTS:
        if all(at(root, mark) is not None for mark in marks):
            reader: ReadResults = load(entry)
            return reader
    return None


def at(value: Json, dotted: str) -> Any:
    """What is at a dotted place of nested objects; None when there is nothing."""
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def objects_at(value: Json, dotted: str, where: str) -> Mapping[str, Json]:
    """The object at a dotted place.

    Raises:
        MetricUnreadable: there is something else.
    """
    found = at(value, dotted)
    if not isinstance(found, Mapping):
        raise MetricUnreadable(f"`{dotted}` is not an object", origin=f"{where}/{dotted.replace('.', '/')}")
    return found


def list_at(value: Json, dotted: str) -> list[Json]:
    """The list at a dotted place; empty when there is none."""
    found = at(value, dotted)
    return found if isinstance(found, list) else []


def pointer(*keys: object) -> str:
    """A JSON pointer of these keys."""
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys)

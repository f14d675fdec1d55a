"""Metrics that a notebook shows as outputs of a MIME type: ours, or scrapbook's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Leaf, Readings, leaves
from mlops_action.metrics.plain_data import number_of
from mlops_action.records import Json, MetricReading

VALUES_MIME = "application/vnd.mlops-action.values.v1+json"
SCRAP_MIME_START = "application/scrapbook.scrap."
SCRAP_MIME = f"{SCRAP_MIME_START}json+json"
JSON_MIME = "application/json"


def read_values(notebook: Mapping[str, Any], file: str) -> list[MetricReading]:
    """Numbers among the outputs of an executed notebook (nbformat 4).

    Our MIME type holds an object, nested if need be; what is no number in it gives a
    reading without a value. Of scrapbook's scraps only numbers and objects of numbers
    are metrics. A later value replaces an earlier one of the same name.

    Raises:
        MetricUnreadable: a value of our MIME type is not an object, or absurdly large.
    """
    found: dict[str, MetricReading] = {}
    for origin, data in _outputs(notebook, file):
        if VALUES_MIME in data:
            found.update((reading.name, reading) for reading in _values(data[VALUES_MIME], origin))
        for mime, scrap in data.items():
            if mime.startswith(SCRAP_MIME_START) and isinstance(scrap, Mapping):
                _take_scrap(scrap, origin, found)
    return list(found.values())


def read_json_outputs(
    notebook: Mapping[str, Any], file: str, taken: Collection[tuple[str, str]]
) -> list[MetricReading]:
    """Numbers in objects that the notebook shows as ``application/json``, but for the names in ``taken``.

    Nobody promised that these are metrics: lists, texts and what is absurdly large are left out,
    and whatever else gives a metric of the same name comes first.
    """
    found: dict[str, MetricReading] = {}
    for origin, data in _outputs(notebook, file):
        shown = data.get(JSON_MIME)
        ours = VALUES_MIME in data or any(mime.startswith(SCRAP_MIME_START) for mime in data)
        if ours or not isinstance(shown, dict):
            continue
        # What is shown later must not leave an older number standing, even when it cannot be read itself.
        for old in [name for name in found if name.partition(".")[0] in shown]:
            del found[old]
        with suppress(MetricUnreadable):
            counted = Readings()
            for leaf in leaves(shown, origin, lists=False):
                value = _number(leaf, origin)
                if value is not None and (leaf.name, "") not in taken:
                    counted.add(leaf.name, value, origin)
            found.update((reading.name, reading) for reading in counted.all)
    return list(found.values())


def _outputs(notebook: Mapping[str, Any], file: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """The MIME bundle of each output, and the origin of what it holds."""
    for index, cell in enumerate(notebook.get("cells") or ()):
        if not isinstance(cell, Mapping) or not isinstance(cell.get("outputs"), (list, tuple)):
            continue
        for output in cell["outputs"]:
            data = output.get("data") if isinstance(output, Mapping) else None
            if isinstance(data, Mapping):
                yield f"{file}#{cell.get('id') or index}", data


def _values(value: Json, origin: str) -> list[MetricReading]:
    if not isinstance(value, dict):
        raise MetricUnreadable(
            f"an output of type {VALUES_MIME} does not hold an object",
            origin=origin,
            hint='show an object such as `{"accuracy": 0.95}`',
        )
    found = Readings()
    for leaf in leaves(value, origin):
        found.add(leaf.name, _number(leaf, origin), origin)
    return found.all


def _take_scrap(scrap: Mapping[str, Json], origin: str, found: dict[str, MetricReading]) -> None:
    name = scrap.get("name")
    if not isinstance(name, str) or not name:
        return
    # A text glued over a number must not leave the old number standing.
    for old in [known for known in found if known == name or known.startswith(f"{name}.")]:
        del found[old]
    if scrap.get("encoder") != "json":
        return
    taken = Readings()
    for leaf in leaves({name: scrap.get("data")}, origin, lists=False):
        value = _number(leaf, origin)
        if value is not None:
            taken.add(leaf.name, value, origin)
    found.update((reading.name, reading) for reading in taken.all)


def _number(leaf: Leaf, origin: str) -> Decimal | None:
    return number_of(leaf.value, origin)

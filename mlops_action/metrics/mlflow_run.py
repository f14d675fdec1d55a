"""Runs that MLflow exported: `mlflow runs describe`, the REST API's `runs/get`, mlflow-export-import's `run.json`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Leaf, Readings, Written, exact
from mlops_action.metrics.json_text import value_of
from mlops_action.metrics.known_results import at, pointer
from mlops_action.records import Json

_STORED = {sys.float_info.max: "Infinity", -sys.float_info.max: "-Infinity"}
_ENDED_BADLY = {"FAILED", "KILLED"}
_PLACES = (("run.info", "run.data.metrics"), ("info", "data.metrics"), ("mlflow.info", "mlflow.metrics"))


def read_run(root: Mapping[str, Json], where: str, found: Readings) -> None:
    """Add the last value of each metric.

    Raises:
        MetricUnreadable: the run failed or was killed, or a metric is there twice.
    """
    info, place = next((info, place) for info, place in _PLACES if isinstance(at(root, info), Mapping))
    status = str(at(root, f"{info}.status"))
    if status in _ENDED_BADLY:
        raise MetricUnreadable(
            f"the run's status is `{status}`",
            origin=f"{where}/{info.replace('.', '/')}/status",
            hint="what a run logged before it failed says nothing about its model",
        )
    base = f"/{place.replace('.', '/')}"
    for name, leaf in _metrics(at(root, place), f"{where}{base}"):
        origin = f"{where}{base}{leaf.pointer}"
        found.add(name, value_of(_infinite_again(leaf), origin), origin)


def _metrics(metrics: Json, where: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(metrics, Mapping):
        for name, value in metrics.items():
            yield name, _last(name, value) if isinstance(value, list) else Leaf(name, value, pointer(name))
    for place, each in enumerate(metrics if isinstance(metrics, list) else ()):
        name = at(each, "key")
        if not isinstance(name, str):
            raise MetricUnreadable("a metric has no name", origin=f"{where}/{place}")
        yield name, Leaf(name, at(each, "value"), pointer(place, "value"))


def _infinite_again(leaf: Leaf) -> Leaf:
    """A server with a database stores infinities as the largest double; no metric is that large."""
    if isinstance(leaf.value, Written) and float(exact(leaf.value, leaf.pointer)) in _STORED:
        return replace(leaf, value=Written(_STORED[float(leaf.value)]))
    return leaf


def _last(name: str, values: list[Json]) -> Leaf:
    """The value of the last step, as MLflow shows it; among those of one step that of the last time."""
    if not values:
        return Leaf(name, None, pointer(name))
    last = max(range(len(values)), key=lambda place: (*_when(values[place]), place))
    return Leaf(name, at(values[last], "value"), pointer(name, last, "value"))


def _when(value: Json) -> tuple[int, int]:
    return _whole(at(value, "step")), _whole(at(value, "timestamp"))


def _whole(value: Json) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 30 else 0

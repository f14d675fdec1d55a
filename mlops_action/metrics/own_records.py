"""What this project's own files say was measured: `run.json` and `manifest.json`, as baselines mostly."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Leaf, Readings, Written
from mlops_action.metrics.json_text import value_of
from mlops_action.metrics.known_results import at, list_at, pointer
from mlops_action.records import Json, MetricReading
from mlops_action.vocabulary import MANIFEST_SCHEMA, RUN_SCHEMA, StepStatus


def read_run(root: Mapping[str, Json], where: str, found: Readings) -> None:
    """Add the readings of a run's steps.

    Raises:
        MetricUnreadable: another format, a step that did not run well, or no readings where they belong.
    """
    _expect(root, RUN_SCHEMA, where)
    for place, step in enumerate(list_at(root, "steps")):
        _take(step, list_at(step, "readings"), (where, "steps", place, "readings"), found)
        _expect_well(step, f"{where}/steps/{place}/status")


def read_manifest(root: Mapping[str, Json], where: str, found: Readings) -> None:
    """Add the metrics of a manifest's results.

    Raises:
        MetricUnreadable: another format, a step that did not run well, or no metrics where they belong.
    """
    _expect(root, MANIFEST_SCHEMA, where)
    for place, step in enumerate(list_at(root, "results.steps")):
        _expect_well(step, f"{where}/results/steps/{place}/status")
    _take({}, list_at(root, "results.metrics"), (where, "results", "metrics"), found)


def _expect(root: Mapping[str, Json], schema: str, where: str) -> None:
    if at(root, "schema") != schema:
        raise MetricUnreadable(
            f"expected a document of format `{schema}`, found `{str(at(root, 'schema'))[:60]}`",
            origin=f"{where}/schema",
            hint="the file must be one that this version of mlops-action can read",
        )


def _expect_well(step: Json, where: str) -> None:
    status = at(step, "status")
    if status != StepStatus.OK:
        raise MetricUnreadable(
            f"the step `{str(at(step, 'name'))[:60]}` of that run has the status `{str(status)[:20]}`",
            origin=where,
            hint="compare with a run that ended well",
        )


def _take(step: Json, readings: list[Json], keys: tuple[object, ...], found: Readings) -> None:
    where, *inside = keys
    for place, each in enumerate(readings):
        origin = f"{where}{pointer(*inside, place)}"
        name, part, made_by = (_text(each, key, origin) for key in ("name", "slice", "step"))
        value = value_of(Leaf("value", _number(at(each, "value")), "/value"), origin)
        found.take(MetricReading(name, value, origin, made_by or _text(step, "name", origin), part))


def _text(each: Json, key: str, origin: str) -> str:
    value = at(each, key)
    if value is not None and type(value) is not str:
        raise MetricUnreadable(f"`{key}` of a reading is not a text", origin=origin)
    return value or ""


def _number(value: Json) -> Json:
    """A number that no double holds is written as text."""
    return Written(value) if type(value) is str and value else value

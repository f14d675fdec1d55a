"""All facts, whatever becomes of a single one."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from mlops_action.errors import MlopsError
from mlops_action.facts import FACTS
from mlops_action.facts.interface import Collector, Scene
from mlops_action.records import Fact, Json, Uncaptured
from mlops_action.redact import Redactor
from mlops_action.registry import load


def collect_all(scene: Scene) -> tuple[Fact, ...]:
    """Collect every registered fact, with secret values masked wherever they stand.

    A fact that cannot be collected becomes an entry that says so; a run never fails on one.
    """
    return tuple(_clean(_collected(name, entry, scene), scene.redactor) for name, entry in FACTS.items())


def _collected(name: str, entry: str, scene: Scene) -> Fact:
    collector = cast("Collector", load(entry)())
    try:
        return collector.collect(scene)
    except (MlopsError, OSError) as error:
        return Fact(name, uncaptured=(Uncaptured(name, f"it could not be collected: {error}"),))


def _clean(fact: Fact, redactor: Redactor) -> Fact:
    return replace(
        fact,
        identity=_masked(fact.identity, redactor),
        locator=_masked(fact.locator, redactor),
        observation=_masked(fact.observation, redactor),
        uncaptured=tuple(Uncaptured(redactor.text(gap.what), redactor.text(gap.why)) for gap in fact.uncaptured),
    )


def _masked(value: Json, redactor: Redactor) -> Json:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, list):
        return [_masked(item, redactor) for item in value]
    if isinstance(value, dict):
        return {redactor.text(key): _masked(item, redactor) for key, item in value.items()}
    return value

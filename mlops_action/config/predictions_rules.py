"""What the keys of predictions must hold together: columns and tasks, gates and what they need."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields

from mlops_action.config.policy_model import GateSpec
from mlops_action.config.predictions_metrics import metrics_of
from mlops_action.config.predictions_model import PredictionsSpec
from mlops_action.config.rules import CHANGE_RULES, GROUP_RULES, RULES
from mlops_action.config.yaml_source import Located
from mlops_action.errors import MlopsError, SpecError, UnknownName, nearest
from mlops_action.structure import key_of
from mlops_action.vocabulary import Task

ALL = "all"
_ONLY_WITH = (
    "slices", "groups", "prove", "confidence", "min_n", "min_positives", "min_negatives", "small_slices"
)  # fmt: skip
_JUDGED = ("min", "max", "range", "equals", *CHANGE_RULES, *GROUP_RULES)
_DEFAULTS = {item.name: item.default for item in fields(GateSpec)}


def columns_of(slices: str) -> tuple[str, ...]:
    """The columns of ``country & device``."""
    return tuple(part.strip() for part in slices.split("&"))


def predictions_problems(
    gates: Mapping[str, GateSpec],
    predictions: Mapping[str, PredictionsSpec],
    located: Located,
    flawed: Collection[str] = (),
) -> list[MlopsError]:
    """Everything that is wrong about predictions and about the gates on them."""
    problems: list[MlopsError] = []
    for name, spec in predictions.items():
        where = f"/predictions/{name}"
        if where not in flawed:
            problems += [_at(error, located.origin(where)) for error in _spec_problems(name, spec)]
    for name, gate in gates.items():
        where = f"/gates/{name}"
        if where not in flawed:
            problems += [_at(error, located.origin(where)) for error in _gate_problems(name, gate, predictions)]
    return problems


def _at(error: MlopsError, origin: str) -> MlopsError:
    return type(error)(error.message, origin=origin, hint=error.hint)


def _spec_problems(name: str, spec: PredictionsSpec) -> Iterator[MlopsError]:
    needed = {
        Task.BINARY: ("`score` or `prediction`", spec.score or spec.prediction),
        Task.MULTICLASS: ("`scores` or `prediction`", spec.scores or spec.prediction),
        Task.MULTILABEL: (
            "`labels`, and `scores` for each of them",
            spec.labels and set(spec.labels) <= set(spec.scores),
        ),
        Task.REGRESSION: ("`prediction`", spec.prediction),
        Task.RANKING: ("`query` and `score`", spec.query and spec.score),
    }
    what, given = needed[spec.task]
    if not given:
        yield SpecError(f"predictions `{name}`: the task `{spec.task}` needs {what}")
    if spec.calibration and not (spec.task is Task.BINARY and spec.score):
        yield SpecError(f"predictions `{name}`: `calibration` is of the `score` of `binary` predictions")
    known = {column for each in spec.slices for column in columns_of(each)}
    for column in spec.expected:
        if column not in known:
            yield UnknownName(
                f"predictions `{name}`: `expected` names `{column}`, which is no slice",
                hint=nearest(column, list(known)),
            )


def _gate_problems(name: str, gate: GateSpec, predictions: Mapping[str, PredictionsSpec]) -> Iterator[MlopsError]:
    if not gate.predictions:
        yield from _needless_problems(name, gate)
        return
    spec = predictions.get(gate.predictions)
    if spec is None:
        yield UnknownName(
            f"gate `{name}` is on the predictions `{gate.predictions}`, which are not declared",
            hint=nearest(gate.predictions, list(predictions)) or "declare the file under `predictions`",
        )
        return
    yield from _rule_problems(name, gate, spec)
    yield from _slice_problems(name, gate, spec)
    yield from _metric_problems(name, gate, metrics_of(spec))


def _group_rules_of(gate: GateSpec) -> list[str]:
    return [rule for rule in GROUP_RULES if getattr(gate, rule) is not None]


def _needless_problems(name: str, gate: GateSpec) -> Iterator[MlopsError]:
    """What makes sense for predictions only."""
    for key in [*_group_rules_of(gate), *(each for each in _ONLY_WITH if getattr(gate, each) != _DEFAULTS[each])]:
        yield SpecError(
            f"gate `{name}`: `{key_of(key)}` needs `predictions`",
            hint="a single number has no slices and no interval; name the file of predictions that it is made from",
        )


def _rule_problems(name: str, gate: GateSpec, spec: PredictionsSpec) -> Iterator[MlopsError]:
    given = [rule for rule in RULES if getattr(gate, rule) is not None]
    if set(given) & set(CHANGE_RULES) and not (gate.baseline or spec.baseline):
        yield SpecError(
            f"gate `{name}` compares with a baseline, and its predictions name none",
            hint=f"add `baseline: git::{spec.file}` (or a path) to the predictions or to the gate",
        )
    for rule in (each for each in given if each not in _JUDGED):
        yield SpecError(
            f"gate `{name}`: `{key_of(rule)}` does not judge `predictions`",
            hint=f"the rules for them are {', '.join(f'`{key_of(each)}`' for each in _JUDGED)}",
        )
    if bool(_group_rules_of(gate)) != bool(gate.groups):
        yield SpecError(f"gate `{name}`: `groups` goes together with `max-gap` or `min-ratio`")


def _metric_problems(name: str, gate: GateSpec, known: list[str]) -> Iterator[MlopsError]:
    if not gate.metric:
        yield SpecError(f"gate `{name}`: the predictions need a `metric`", hint="docs/predictions.md lists them")
    elif gate.metric not in known and not gate.metric.startswith("null_share."):
        yield UnknownName(
            f"gate `{name}`: the predictions `{gate.predictions}` have no metric `{gate.metric}`",
            hint=nearest(gate.metric, known) or "docs/predictions.md lists the metrics of each task",
        )


def _slice_problems(name: str, gate: GateSpec, spec: PredictionsSpec) -> Iterator[MlopsError]:
    if sum(map(bool, (gate.slice, gate.slices, gate.groups))) > 1:
        yield SpecError(f"gate `{name}`: `slice`, `slices` and `groups` exclude each other")
    for each in (*gate.slices, *([gate.groups] if gate.groups else ())):
        if each != ALL and each not in spec.slices:
            yield UnknownName(
                f"gate `{name}`: the predictions have no slices by `{each}`",
                hint=nearest(each, list(spec.slices)) or f"add `slices: [{each}]` to the predictions",
            )
    if gate.slices == (ALL,) and not spec.slices:
        yield SpecError(f"gate `{name}`: the predictions have no slices", hint="add `slices: [COLUMN]` to them")

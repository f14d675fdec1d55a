"""What a gate must hold beyond the types of its values: one rule, and what that rule needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields

from mlops_action.config.history_model import boundary_problem
from mlops_action.config.policy_model import GatePart, GateSpec
from mlops_action.config.rules import CHANGE_RULES, COMBINATIONS, HISTORY_RULES, RULES, direction_of, is_pattern
from mlops_action.config.yaml_source import Located
from mlops_action.errors import MlopsError, SpecError
from mlops_action.structure import key_of

_PART_RULES = tuple(rule for rule in RULES if rule in {item.name for item in fields(GatePart)})
_PART_DEFAULTS = {item.name: item.default for item in fields(GatePart)}


def gate_problems(
    gates: dict[str, GateSpec], baseline: str, located: Located, flawed: Collection[str] = ()
) -> list[MlopsError]:
    """Everything that is wrong about the gates, but for those in ``flawed``."""
    problems: list[MlopsError] = []
    for name, gate in gates.items():
        if f"/gates/{name}" in flawed:
            continue
        problems += [
            type(error)(error.message, origin=located.origin(f"/gates/{name}{error.origin}"), hint=error.hint)
            for error in _gate_problems(f"gate `{name}`", gate, baseline)
        ]
    return problems


def _gate_problems(who: str, gate: GatePart, baseline: str) -> Iterator[MlopsError]:
    """Problems of one gate or part, with the pointer inside it as origin."""
    known = RULES if isinstance(gate, GateSpec) else _PART_RULES
    rules = [rule for rule in known if getattr(gate, rule) is not None]
    if len(rules) != 1:
        found = ", ".join(f"`{key_of(rule)}`" for rule in rules) or "none"
        names = ", ".join(f"`{key_of(rule)}`" for rule in known)
        yield SpecError(
            f"{who} must have exactly one rule, found {found}",
            hint=f"write one gate for each rule; the rules are {names}",
        )
        return
    if isinstance(gate, GateSpec) and (rules[0] in COMBINATIONS or gate.of):
        yield from _combination_problems(who, gate, rules[0], baseline)
        return
    yield from _value_problems(who, gate)
    if gate.tolerance is not None:
        yield from _tolerance_problems(who, gate, rules[0])
    if rules[0] in CHANGE_RULES:
        yield from _change_problems(who, gate, baseline)
    if rules[0] in HISTORY_RULES or gate.history:
        yield from _history_problems(who, gate, rules[0])


def _value_problems(who: str, gate: GatePart) -> Iterator[MlopsError]:
    if bool(gate.metric) == bool(gate.expression):
        said = "a `metric` and an `expression`" if gate.metric else "neither a `metric` nor an `expression`"
        yield SpecError(f"{who} has {said}", hint="give exactly one of the two: what is judged")
    if gate.expression and is_pattern(gate.slice):
        yield SpecError(f"{who}: an expression is judged on one slice, not on those of a pattern")


def _combination_problems(who: str, gate: GateSpec, rule: str, baseline: str) -> Iterator[MlopsError]:
    if bool(gate.of) != (rule == "at_least"):
        yield SpecError(f"{who}: `at-least` and `of` belong together", hint="write `at-least: 2` and `of: [...]`")
        return
    key, parts = ("of", gate.of) if rule == "at_least" else (key_of(rule), getattr(gate, rule))
    given = [name for name, usual in _PART_DEFAULTS.items() if getattr(gate, name) != usual and name != rule]
    if given:
        yield SpecError(
            f"{who}: `{key_of(given[0])}` belongs to the rules in `{key}`",
            hint=f"write it in each of them: `{key}: [{{metric: ..., min: ...}}]`",
        )
    if isinstance(gate, GateSpec) and gate.predictions:
        yield SpecError(f"{who}: rules in `{key}` judge metrics that are read, not predictions")
    if not _can_pass(gate.at_least, parts):
        yield SpecError(
            f"{who} asks for {gate.at_least if gate.at_least is not None else 'some'} of {len(parts)} rules",
            hint="a combination needs rules, and as many of them as must pass",
        )
    for i, part in enumerate(parts):
        for error in _gate_problems(f"{who}, rule {i + 1} of `{key}`", part, baseline):
            yield type(error)(error.message, origin=f"/{key}/{i}{error.origin}", hint=error.hint)


def _can_pass(wanted: int | None, parts: Sequence[GatePart]) -> bool:
    """Whether there are so many rules; a pattern may stand for any number."""
    many = any(is_pattern(part.metric) or is_pattern(part.slice) for part in parts)
    return bool(parts) and (wanted is None or (wanted >= 1 and (wanted <= len(parts) or many)))


def _tolerance_problems(who: str, gate: GatePart, rule: str) -> Iterator[MlopsError]:
    if rule != "equals":
        yield SpecError(f"{who}: `tolerance` belongs to `equals`, not to `{key_of(rule)}`")
    if gate.equals == 0 and gate.tolerance is not None and gate.tolerance.relative is not None:
        yield SpecError(f"{who}: a share of 0 is not a tolerance", hint="write an absolute one: `tolerance: 0.001`")


def _change_problems(who: str, gate: GatePart, baseline: str) -> Iterator[MlopsError]:
    on_predictions = isinstance(gate, GateSpec) and gate.predictions  # they may name a baseline of their own
    if not (gate.baseline or baseline or on_predictions):
        yield SpecError(
            f"{who} compares with a baseline, and none is given",
            hint="add `baseline: git::metrics.json` (or a path) to the gate, or beside `gates`",
        )
    yield from _direction_problems(who, gate)


def _history_problems(who: str, gate: GatePart, rule: str) -> Iterator[MlopsError]:
    if rule not in HISTORY_RULES:
        yield SpecError(f"{who}: `history` belongs to `ratchet` and `history-threshold`, not to `{key_of(rule)}`")
        return
    if isinstance(gate, GateSpec) and gate.predictions:
        yield SpecError(f"{who}: `{key_of(rule)}` judges metrics that are read, not predictions")
    if not gate.history:
        yield SpecError(
            f"{who} looks at a history, and none is given",
            hint="add `history: git::metrics/history.jsonl` (or a path); `mlops-action history FILE` adds a run to it",
        )
    if rule == "ratchet":
        yield from _direction_problems(who, gate)
    problem = boundary_problem(gate.history_threshold) if gate.history_threshold else ""
    if problem:
        yield SpecError(f"{who}: {problem}", origin="/history-threshold")


def _direction_problems(who: str, gate: GatePart) -> Iterator[MlopsError]:
    if direction_of(gate) is None:
        yield SpecError(
            f"{who}: is a higher or a lower `{gate.metric or gate.expression}` better?",
            hint="add `direction: higher` or `direction: lower`",
        )

"""Gates as a plan has them: rule, direction and baseline made explicit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mlops_action.codec import encode
from mlops_action.config.load import Loaded
from mlops_action.config.policy_model import GatePart, GateSpec
from mlops_action.config.rules import CHANGE_RULES, direction_of, rule_of
from mlops_action.config.sources import Settings
from mlops_action.gates.limits import limits_of
from mlops_action.judgement.predictions_plan import planned_on_predictions
from mlops_action.records import Plan, PlannedGate
from mlops_action.structure import key_of


def plan_gates(loaded: Loaded) -> tuple[PlannedGate, ...]:
    """The gates of a configuration with their rule and direction made explicit."""
    return tuple(_planned(name, gate, loaded) for name, gate in loaded.gates.items())


def _planned(name: str, gate: GateSpec, loaded: Loaded) -> PlannedGate:
    combined = [_planned_part(name, part, loaded) for part in gate.all or gate.any or gate.of]
    return replace(
        _planned_part(name, gate, loaded),
        severity=str(gate.severity),
        combined=tuple(combined),
        **planned_on_predictions(gate, loaded.predictions),
        on_missing=str(gate.on_missing),
        on_undefined=str(gate.on_undefined),
        on_inconclusive=str(gate.on_inconclusive),
    )


def _planned_part(name: str, gate: GatePart, loaded: Loaded) -> PlannedGate:
    """What a gate and a rule of a combination have in common."""
    rule = rule_of(gate)
    change = rule in CHANGE_RULES
    directed = change or rule == "ratchet"
    direction: Any = direction_of(gate)
    return PlannedGate(
        name=name,
        metric=gate.metric or gate.expression,
        rule=key_of(rule),
        limits=encode(limits_of(gate)),
        origin=loaded.gate_origin(name),
        direction=str(direction) if directed and direction else "",
        baseline=_baseline_of(gate, loaded) if change else "",
        slice=gate.slice,
        expression=gate.expression,
        history=gate.history,
    )


def _baseline_of(gate: GatePart, loaded: Loaded) -> str:
    """What a gate compares with; the top level names a metric file, which is no baseline of predictions."""
    if isinstance(gate, GateSpec) and gate.predictions:
        return gate.baseline or loaded.predictions[gate.predictions].baseline
    return gate.baseline or loaded.baseline


def planned_policy(loaded: Loaded) -> dict[str, Any]:
    """What a plan says of the policy."""
    return {
        "gates": plan_gates(loaded),
        "waivers": loaded.waivers,
        "longest_waiver": loaded.conduct.longest_waiver,
        "policy_guard": str(loaded.conduct.guard or ""),
    }


def gates_only(loaded: Loaded, settings: Settings) -> Plan:
    """The plan of a judgement without a run."""
    return Plan(loaded.file, str(loaded.root), settings.options.output_dir, steps=(), **planned_policy(loaded))


def with_gates_of(plan: Plan, loaded: Loaded, settings: Settings) -> Plan:
    """The plan of an earlier run, perhaps on another machine, judged here by the gates of ``loaded``."""
    return replace(plan, **planned_policy(loaded), root=str(loaded.root), output_dir=settings.options.output_dir)

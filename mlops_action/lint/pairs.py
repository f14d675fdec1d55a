"""Gates that contradict each other, and gates that never decide beside another."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from mlops_action.errors import MlopsError
from mlops_action.gates.exact import text_of
from mlops_action.gates.limits import number_limit, range_limit, tolerance_of
from mlops_action.lint.finding import Finding, Policy
from mlops_action.records import PlannedGate

Wanted = tuple[Decimal | None, Decimal | None]


def pair_findings(policy: Policy) -> Iterator[Finding]:
    """Gates on the same number that cannot both pass, or of which one says what the other says already."""
    known = [(gate, wanted) for gate in policy.gates if (wanted := wanted_by(gate)) is not None]
    for (one, wants), (other, also) in combinations(known, 2):
        if _judged(one) != _judged(other):
            continue
        low, high = _highest(wants[0], also[0]), _lowest(wants[1], also[1])
        if low is not None and high is not None and low > high:
            yield Finding(
                f"gates `{one.name}` and `{other.name}` can never both pass: "
                f"`{one.metric}` must be at least {text_of(low)} and at most {text_of(high)}",
                other.origin,
                "correct one of the limits",
                certain=one.severity == other.severity == "block",
            )
        elif _softer(one, other) and also == (low, high):
            yield _idle(one, other)
        elif _softer(other, one) and wants == (low, high):
            yield _idle(other, one)


def _idle(idle: PlannedGate, deciding: PlannedGate) -> Finding:
    return Finding(
        f"gate `{idle.name}` never decides: whatever fails it fails `{deciding.name}` as well",
        idle.origin,
        "remove it, or make it the stricter one",
    )


def _softer(idle: PlannedGate, deciding: PlannedGate) -> bool:
    """Whether one gate blocks no more than another; a warning beside a block has a use of its own."""
    return idle.severity == deciding.severity


def _judged(gate: PlannedGate) -> tuple[object, ...]:
    """What a gate is about; gates on rows differ in more than their limits."""
    about = (gate.metric, gate.expression, gate.slice)
    return (*about, gate.predictions, gate.slices, gate.groups, gate.confidence, gate.prove)


def wanted_by(gate: PlannedGate) -> Wanted | None:
    """Lowest and highest value that a gate wants; None for gates that want something else."""
    try:
        if gate.rule == "min":
            return number_limit(gate), None
        if gate.rule == "max":
            return None, number_limit(gate)
        if gate.rule == "range":
            return range_limit(gate)
        if gate.rule == "equals" and tolerance_of(gate) is None:
            return number_limit(gate), number_limit(gate)
    except MlopsError:
        return None
    return None


def _highest(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _lowest(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return min((each for each in (one, other) if each is not None), default=None)

"""The numbers of a rule: from a gate to JSON for the plan, and back, exactly."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from mlops_action.codec import encode
from mlops_action.config.history_model import HistoryThresholdSpec
from mlops_action.config.policy_model import GatePart
from mlops_action.config.rules import COMBINATIONS, rule_of
from mlops_action.config.values import Amount, amount, finite, number_range
from mlops_action.errors import BadDocument
from mlops_action.records import Json, PlannedGate
from mlops_action.structure import key_of

T = TypeVar("T")


def limits_of(gate: GatePart) -> Json:
    """The limits of a checked gate: ``{"min": 0.95}``, ``{"max-drop": {"relative": 0.1}}``, ``{"any": 1}``."""
    rule = rule_of(gate)
    if rule in COMBINATIONS:
        needed = {"all": len(getattr(gate, "all", None) or ()), "any": 1}
        return {key_of(rule): needed.get(rule, getattr(gate, rule))}
    limits = {key_of(rule): _plain(getattr(gate, rule))}
    if gate.tolerance is not None:
        limits["tolerance"] = _plain(gate.tolerance)
    return limits


def _plain(limit: Any) -> Json:
    encoded = encode(limit)
    if isinstance(limit, (Amount, HistoryThresholdSpec)):
        return {part: size for part, size in encoded.items() if size is not None}
    return encoded


def number_limit(gate: PlannedGate) -> Decimal:
    """The number of ``min``, ``max`` or ``equals``.

    Raises:
        BadDocument: the plan does not hold it.
    """
    return _read(gate, gate.rule, finite)


def range_limit(gate: PlannedGate) -> tuple[Decimal, Decimal]:
    """The two numbers of ``range``.

    Raises:
        BadDocument: the plan does not hold them.
    """
    return _read(gate, gate.rule, number_range)


def amount_limit(gate: PlannedGate) -> Amount:
    """The amount of ``max-drop`` or ``min-gain``.

    Raises:
        BadDocument: the plan does not hold it.
    """
    return _read(gate, gate.rule, amount)


def tolerance_of(gate: PlannedGate) -> Amount | None:
    """The tolerance of ``equals``, or None.

    Raises:
        BadDocument: the plan holds something else there.
    """
    if isinstance(gate.limits, dict) and "tolerance" not in gate.limits:
        return None
    return _read(gate, "tolerance", amount)


def higher_is_better(gate: PlannedGate) -> bool:
    """Which way the metric of a change rule is better.

    Raises:
        BadDocument: the plan does not say.
    """
    if gate.direction not in {"higher", "lower"}:
        raise BadDocument(f"gate `{gate.name}`: the direction `{gate.direction}` is not known", origin=gate.origin)
    return gate.direction == "higher"


def _read(gate: PlannedGate, key: str, parse: Callable[[Any], T]) -> T:
    try:
        return parse(gate.limits[key])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        said = "it is missing" if isinstance(error, KeyError) else str(error)
        raise BadDocument(f"gate `{gate.name}`: the limit `{key}` is not usable: {said}", origin=gate.origin) from error

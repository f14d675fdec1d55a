"""Limits that can never be met, or never be missed, by what a metric can be."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_action.config.spans import Span, inside, span_of
from mlops_action.errors import MlopsError
from mlops_action.gates.exact import text_of
from mlops_action.gates.limits import amount_limit
from mlops_action.lint.finding import Finding, Policy
from mlops_action.lint.pairs import wanted_by
from mlops_action.records import PlannedGate


def limit_findings(policy: Policy) -> Iterator[Finding]:
    """Gates whose limit lies at the end of what their metric can be, or beyond."""
    for gate in policy.rules:
        span = _span(gate, policy)
        if span is None:
            continue
        try:
            said = _said(gate, span)
        except MlopsError:
            continue
        if said:
            low, high = ("-∞" if span[0] is None else text_of(span[0])), ("∞" if span[1] is None else text_of(span[1]))
            yield Finding(
                f"gate `{gate.name}` {said}: by its name, `{gate.metric}` is from {low} to {high}",
                gate.origin,
                "correct the limit; a metric in percent is better called so: `accuracy_percent`",
            )


def _span(gate: PlannedGate, policy: Policy) -> Span | None:
    """What the metric can be, unless a reading shows that its name means something else."""
    span = span_of(gate.metric) if not gate.expression else None
    known = [each.value for each in policy.readings if each.name == gate.metric and each.value is not None]
    if span is None or not all(inside(value, span) for value in known if value.is_finite()):
        return None
    return span


def _said(gate: PlannedGate, span: Span) -> str:
    wanted = wanted_by(gate)
    if wanted is None:
        return _said_of_change(gate, span)
    (low, high), (lowest, highest) = wanted, span
    too_high = low is not None and highest is not None and low > highest
    too_low = high is not None and lowest is not None and high < lowest
    below = low is None or (lowest is not None and low <= lowest)
    above = high is None or (highest is not None and high >= highest)
    return _never(too_high or too_low) or _always(below and above)


def _said_of_change(gate: PlannedGate, span: Span) -> str:
    low, high = span
    if gate.rule not in {"max-drop", "min-gain"}:
        return ""
    amount = amount_limit(gate)
    width = high - low if low is not None and high is not None else None
    size = amount.absolute
    if gate.rule == "min-gain":
        return _never(width is not None and size is not None and size > width)
    wide = size is None or (width is not None and size >= width)
    whole = amount.relative is None or (low == 0 and gate.direction == "higher" and amount.relative >= 1)
    return _always(wide and whole)


def _never(holds: bool) -> str:
    return "can never pass" if holds else ""


def _always(holds: bool) -> str:
    return "can never fail" if holds else ""

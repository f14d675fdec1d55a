"""What a rule allows, as bounds of the quantity that is estimated: the value, or the difference to the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from mlops_action.frozen import frozen
from mlops_action.gates.exact import figures, minus, plus, text_of
from mlops_action.gates.interface import Judgement
from mlops_action.gates.limits import amount_limit, higher_is_better, number_limit, range_limit, tolerance_of
from mlops_action.gates.sizes import sizes_of
from mlops_action.records import PlannedGate

CHANGES = ("max-drop", "min-gain", "max-gain")
GROUPS = ("max-gap", "min-ratio")


@frozen
class Bounds:
    """The lowest and the highest quantity that the rule allows; infinite where there is no limit."""

    low: float = -math.inf
    high: float = math.inf

    @property
    def sides(self) -> int:
        """How many limits there are."""
        return int(math.isfinite(self.low)) + int(math.isfinite(self.high))

    def slack(self, estimate: float) -> float:
        """How far within the bounds an estimate is; negative beyond."""
        return min(estimate - self.low, self.high - estimate)


def bounds_of(gate: PlannedGate, baseline: Decimal | None) -> Bounds | None:
    """The bounds of a rule; None when it is undefined for this baseline (a share of 0).

    Raises:
        BadDocument: the plan does not hold the rule's limits.
    """
    return _BOUNDS[gate.rule](gate, baseline)


def _equals(gate: PlannedGate, baseline: Decimal | None) -> Bounds | None:
    del baseline
    target, tolerance = number_limit(gate), tolerance_of(gate)
    if tolerance is None:
        return Bounds(float(target), float(target))
    sizes = sizes_of(tolerance, target)
    if sizes.undefined:
        return None
    least = min(sizes.known)
    return Bounds(float(minus(target, least)), float(plus(target, least)))


def _range(gate: PlannedGate, baseline: Decimal | None) -> Bounds:
    del baseline
    low, high = range_limit(gate)
    return Bounds(float(low), float(high))


def _change(gate: PlannedGate, baseline: Decimal | None) -> Bounds | None:
    """Bounds of candidate - baseline; a share is one of the baseline's value, which is taken as known."""
    if baseline is None:
        return None
    sizes = sizes_of(amount_limit(gate), baseline)
    if sizes.undefined:
        return None
    least, most = (float(pick(sizes.known)) for pick in (min, max))
    required = {"max-drop": -least, "min-gain": most}
    if gate.rule in required:  # the gain that is required
        gain = required[gate.rule]
        return Bounds(low=gain) if higher_is_better(gate) else Bounds(high=-gain)
    return Bounds(high=least) if higher_is_better(gate) else Bounds(low=-least)


_BOUNDS: dict[str, Callable[[PlannedGate, Decimal | None], Bounds | None]] = {
    "min": lambda gate, _: Bounds(low=float(number_limit(gate))),
    "max": lambda gate, _: Bounds(high=float(number_limit(gate))),
    "range": _range,
    "equals": _equals,
    "max-drop": _change,
    "min-gain": _change,
    "max-gain": _change,
    "max-gap": lambda gate, _: Bounds(-float(number_limit(gate)), float(number_limit(gate))),
    "min-ratio": lambda gate, _: Bounds(float(number_limit(gate)), 1 / float(number_limit(gate))),
}
KNOWN = tuple(_BOUNDS)


def judge_groups(gate: PlannedGate, one: Decimal, other: Decimal) -> Judgement:
    """The rule of groups on the values of two of them.

    Raises:
        BadDocument: the plan does not hold the limit.
    """
    limit = number_limit(gate)
    if gate.rule == "max-gap":
        gap = minus(one, other).copy_abs()
        shown, here, there, most = figures(gap, one, other, limit)
        said = f"{gate.metric} {here} and {there} differ by {shown}; at most {most} is allowed"
        return Judgement(gap <= limit, said, f"at most {text_of(limit)}", f"at most {text_of(limit)}")
    high, low = max(one, other), min(one, other)
    text = f"at least {text_of(limit)}"
    if low < 0 or not high:
        return Judgement(None, f"the ratio of {gate.metric} {text_of(low)} to {text_of(high)} is undefined", text)
    ratio = low / high
    shown, here, there, least = figures(ratio, one, other, limit)
    said = f"{gate.metric} {here} and {there} have the ratio {shown}; at least {least} is required"
    return Judgement(ratio >= limit, said, text, text)

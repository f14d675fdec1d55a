"""Rules that look at the candidate's value alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mlops_action.gates.exact import figures, minus, plus, text_of
from mlops_action.gates.interface import Judgement
from mlops_action.gates.limits import number_limit, range_limit, tolerance_of
from mlops_action.gates.sizes import Sizes, amount_text, sizes_of
from mlops_action.records import PlannedGate


class Minimum:
    """Passes at the limit and above it."""

    needs_baseline = False

    def judge(self, gate: PlannedGate, value: Decimal, baseline: Decimal | None) -> Judgement:
        """Judge ``value``; see ``Rule``.

        Raises:
            BadDocument: the plan does not hold the limit.
        """
        del baseline
        limit = number_limit(gate)
        passed = value >= limit
        here, there = figures(value, limit)
        text = f"at least {text_of(limit)}"
        return Judgement(passed, f"{gate.metric} {here} is {'at least' if passed else 'below'} {there}", text, text)


class Maximum:
    """Passes at the limit and below it."""

    needs_baseline = False

    def judge(self, gate: PlannedGate, value: Decimal, baseline: Decimal | None) -> Judgement:
        """Judge ``value``; see ``Rule``.

        Raises:
            BadDocument: the plan does not hold the limit.
        """
        del baseline
        limit = number_limit(gate)
        passed = value <= limit
        here, there = figures(value, limit)
        text = f"at most {text_of(limit)}"
        return Judgement(passed, f"{gate.metric} {here} is {'at most' if passed else 'above'} {there}", text, text)


class Range:
    """Passes at both limits and between them."""

    needs_baseline = False

    def judge(self, gate: PlannedGate, value: Decimal, baseline: Decimal | None) -> Judgement:
        """Judge ``value``; see ``Rule``.

        Raises:
            BadDocument: the plan does not hold the limits.
        """
        del baseline
        low, high = range_limit(gate)
        passed = low <= value <= high
        here, lowest, highest = figures(value, low, high)
        text = f"from {text_of(low)} to {text_of(high)}"
        return Judgement(
            passed, f"{gate.metric} {here} is {'within' if passed else 'outside'} {lowest} to {highest}", text, text
        )


class Equals:
    """Passes at the target, and as far off it as the tolerance allows."""

    needs_baseline = False

    def judge(self, gate: PlannedGate, value: Decimal, baseline: Decimal | None) -> Judgement:
        """Judge ``value``; see ``Rule``. A share of the target 0 is undefined.

        Raises:
            BadDocument: the plan does not hold the target.
        """
        del baseline
        target = number_limit(gate)
        tolerance = tolerance_of(gate)
        if tolerance is None:
            here, there = figures(value, target)
            passed = value == target
            said = f"{gate.metric} {here} is {'equal to' if passed else 'not'} {there}"
            return Judgement(passed, said, text_of(target), text_of(target))
        limit = f"{text_of(target)}, give or take {amount_text(tolerance)}"
        try:
            judged = _within(value, target, sizes_of(tolerance, target), limit)
        except ArithmeticError:
            return Judgement(None, f"how far the value is off {text_of(target)} has too many digits to tell", limit)
        return replace(judged, message=f"{gate.metric} {judged.message}")


def _within(value: Decimal, target: Decimal, sizes: Sizes, limit: str) -> Judgement:
    off = minus(value, target).copy_abs()
    passed = sizes.decide(lambda size: off <= size)
    if passed is None:
        said = f"{figures(off)[0]} off 0; a share of 0 is undefined"
        return Judgement(None, said, limit, "any value within an absolute tolerance")
    least = min(sizes.known)
    low, high = minus(target, least), plus(target, least)
    here, there, distance, _, _, *shown = figures(value, target, off, low, high, *sizes.known)
    said = f"{here} is {distance} off {there}; at most {sizes.text(shown, there)} allowed"
    return Judgement(passed, said, limit, f"from {text_of(low)} to {text_of(high)}")

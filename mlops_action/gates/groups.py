"""What rules on groups judge: the difference or the ratio of two groups' values."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal

from mlops_action.gates.exact import minus

GROUP_RULES = ("max-gap", "min-ratio")
_RATIO = Context(prec=50, rounding=ROUND_FLOOR)


def between(rule: str, one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The distance of two values, or the smaller as a share of the larger (to 50 digits, cut); None if undefined."""
    if rule not in GROUP_RULES or one is None or other is None or not (one.is_finite() and other.is_finite()):
        return None
    try:
        if rule == "max-gap":
            return minus(one, other).copy_abs()
        return _RATIO.divide(min(one, other), max(one, other)) if min(one, other) >= 0 < max(one, other) else None
    except ArithmeticError:
        return None

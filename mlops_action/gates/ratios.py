"""Ratios that are no decimals: rounded where they are shown, exact where they are judged."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from math import gcd

from mlops_action.config.values import finite
from mlops_action.gates.exact import text_of, times
from mlops_action.gates.interface import Judgement, Rule
from mlops_action.records import Json, PlannedGate

_DIGITS = 50
_CONTEXT = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN)
_MOST_BITS = 40_000
"""Of numerator and denominator: more than exact arithmetic of metrics ever needs."""


def rounded(ratio: Fraction) -> Decimal:
    """The ratio as a decimal: all its digits where they end, else 50 of them.

    Raises:
        ArithmeticError: it has more digits than anybody means.
    """
    if max(ratio.numerator.bit_length(), ratio.denominator.bit_length()) > _MOST_BITS:
        raise ArithmeticError("too many digits")
    if endless(ratio) == 1:
        return _decimal(ratio)
    with localcontext(_CONTEXT):
        return Decimal(ratio.numerator) / Decimal(ratio.denominator)


def endless(ratio: Fraction) -> int:
    """What the denominator holds besides 2 and 5: 1 when the decimals end."""
    rest = ratio.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest


def judge_exactly(rule: Rule, gate: PlannedGate, value: Fraction, baseline: Fraction | None) -> Judgement:
    """Judge ratios: what is said is rounded, what is decided is not.

    Limits, differences and shares keep their order when everything is multiplied by a common denominator, so
    that is how they are compared.

    Raises:
        BadDocument: the plan does not hold the rule's limits.
        ArithmeticError: a number has more digits than anybody means.
    """
    shown = rule.judge(gate, rounded(value), None if baseline is None else rounded(baseline))
    one, other = endless(value), endless(baseline or Fraction(0))
    common = one * other // gcd(one, other)
    if common == 1:
        return shown
    larger = replace(gate, limits=_multiplied(gate.limits, Decimal(common)))
    exact = rule.judge(larger, _decimal(value * common), None if baseline is None else _decimal(baseline * common))
    return replace(shown, passed=exact.passed)


def _decimal(ratio: Fraction) -> Decimal:
    """A ratio whose decimals end, exactly."""
    places = 0
    rest = ratio.denominator
    while rest > 1:
        # A power of ten clears one factor 2 and one factor 5 at each place.
        rest //= gcd(rest, 10)
        places += 1
    return Decimal(ratio.numerator * (10**places // ratio.denominator)).scaleb(-places, Context(prec=_MOST_BITS))


def _multiplied(limits: Json, factor: Decimal) -> Json:
    """Limits times a factor; a share stays what it is."""
    if isinstance(limits, dict):
        return {key: item if key == "relative" else _multiplied(item, factor) for key, item in limits.items()}
    if isinstance(limits, (list, tuple)):
        return [_multiplied(item, factor) for item in limits]
    return text_of(times(finite(limits), factor))

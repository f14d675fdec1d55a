"""Exact arithmetic on decimals, and figures as short as truth allows.

Plain ``-``, ``*``, ``abs`` and unary minus of decimals round to the 28 digits of the
default context, so rules use the functions here. Comparisons are exact anyway.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import cache

_EXACT = Context(prec=50_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation, Overflow])
_FEWEST = 6
"""Significant digits that are printed unless more are needed to tell figures apart."""


def minus(one: Decimal, other: Decimal) -> Decimal:
    """The exact difference.

    Raises:
        ArithmeticError: it has more digits than anybody means.
    """
    return _EXACT.subtract(one, other)


def plus(one: Decimal, other: Decimal) -> Decimal:
    """The exact sum.

    Raises:
        ArithmeticError: it has more digits than anybody means.
    """
    return _EXACT.add(one, other)


def times(one: Decimal, other: Decimal) -> Decimal:
    """The exact product.

    Raises:
        ArithmeticError: it has more digits than anybody means.
    """
    return _EXACT.multiply(one, other)


def text_of(number: Decimal) -> str:
    """All digits of a finite number, without trailing zeros."""
    if not number:
        return "0"
    bare = number.normalize(_context(len(number.as_tuple().digits)))
    return format(bare, "f") if -7 <= bare.adjusted() < 21 else str(bare)


def percent(share: Decimal) -> str:
    """A share as a percentage, all digits of it."""
    return f"{text_of(times(share, Decimal(100)))}%"


def figures(*numbers: Decimal) -> list[str]:
    """Finite numbers as text, rounded so far that different numbers still look different.

    Rounding keeps their order, so a text never contradicts the comparison it explains.
    """
    different = len(set(numbers))
    for digits in (_FEWEST, 9, 12, 17, 34):
        rounded = [_rounded(number, digits) for number in numbers]
        if len(set(rounded)) == different:
            return [text_of(number) for number in rounded]
    return [text_of(number) for number in numbers]


def _rounded(number: Decimal, digits: int) -> Decimal:
    """Rounded to so many significant digits, but never left of the point (counts stay whole)."""
    return number.normalize(_context(max(digits, min(number.adjusted() + 1, 20))))


@cache
def _context(digits: int) -> Context:
    return Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

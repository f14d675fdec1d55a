"""Texts and JSON values beside those that are saved: exactly, or with numbers within a tolerance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from mlops_action.errors import BadValue
from mlops_action.frozen import frozen
from mlops_action.gates.exact import minus, times
from mlops_action.records import Comparison, Number
from mlops_action.structure import exact_number

_NUMBER = re.compile(
    r"(?:(?<![\w.])[-+])?(?<![\w.])"
    r"(?:(?>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?>[eE][-+]?[0-9]+)?+|(?>nan|inf(?:inity)?)(?!\w))"
    r"(?![^\W\d_]*+[\d_])(?!\.[0-9])",
    re.IGNORECASE,
)
"""A number that stands for itself, maybe with a unit behind: no part of a name, version or address."""
_CELL_FILE = re.compile(r"(?<=[/\\]ipykernel_)[0-9]+(?=[/\\][0-9]+\.py)")
_MISSING = object()


@frozen
class Mismatch:
    """The first place where two values differ."""

    where: str
    expected: str
    found: str


def without_process_number(text: str) -> str:
    """IPython names the file of a cell after the kernel's process; the number says nothing."""
    return _CELL_FILE.sub("0", text) if "ipykernel_" in text else text


class ValueComparer:
    """Compares texts and JSON values.

    Raises:
        BadValue: a pattern to ignore is no regular expression.
    """

    def __init__(self, how: Comparison) -> None:
        """Take tolerance and patterns from ``how``."""
        self._absolute = how.absolute
        self._relative = how.relative
        self._ignored = [_pattern(each) for each in how.ignore]

    def blanked(self, text: str) -> str:
        """The text without what does not count."""
        text = without_process_number(text)
        for pattern in self._ignored:
            text = pattern.sub("", text)
        return text

    def texts(self, saved: str, run: str) -> Mismatch | None:
        """The first line that differs, or None."""
        expected, found = self.blanked(saved), self.blanked(run)
        if expected == found:
            return None
        pairs = zip_longest(expected.split("\n"), found.split("\n"))
        for number, (line, other) in enumerate(pairs, start=1):
            if line is None or other is None or not self._same_line(line, other):
                return Mismatch(f"line {number}", line or "", other or "")
        return None

    def values(self, saved: Any, run: Any) -> Mismatch | None:
        """The first place where two JSON values differ, or None."""
        left = [("", saved, run)]
        while left:
            pointer, expected, found = left.pop()
            if isinstance(expected, dict) and isinstance(found, dict):
                left += reversed([(f"{pointer}/{key}", *pair) for key, pair in _by_key(expected, found)])
            elif isinstance(expected, list) and isinstance(found, list):
                pairs = zip_longest(expected, found, fillvalue=_MISSING)
                left += reversed([(f"{pointer}/{place}", *pair) for place, pair in enumerate(pairs)])
            elif not self._same_value(expected, found):
                return Mismatch(pointer or "/", _shown(expected), _shown(found))
        return None

    def _same_value(self, expected: Any, found: Any) -> bool:
        if isinstance(expected, str) and isinstance(found, str):
            return self.texts(expected, found) is None
        if _is_number(expected) and _is_number(found):
            return self._near(exact_number(expected), exact_number(found))
        return type(expected) is type(found) and bool(expected == found)

    def _same_line(self, expected: str, found: str) -> bool:
        if expected == found:
            return True
        if self._absolute is None and self._relative is None:
            return False
        numbers, others = _NUMBER.findall(expected), _NUMBER.findall(found)
        if len(numbers) != len(others) or _around(expected) != _around(found):
            return False
        return all(self._near(Decimal(one), Decimal(other)) for one, other in zip(numbers, others, strict=True))

    def _near(self, expected: Number, found: Number) -> bool:
        if expected.is_nan() or found.is_nan():
            return expected.is_nan() and found.is_nan()
        if expected == found:
            return True
        if not (expected.is_finite() and found.is_finite()) or (self._absolute is None and self._relative is None):
            return False
        try:
            off = minus(found, expected).copy_abs()
            return (self._absolute is None or off <= self._absolute) and (
                self._relative is None or off <= times(self._relative, expected.copy_abs())
            )
        except ArithmeticError:
            return False


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, RecursionError) as error:
        raise BadValue(f"`{text}` is not a regular expression: {error}", origin="compare.ignore") from None


def _around(line: str) -> list[str]:
    """What stands between the numbers; the blanks beside them only align columns."""
    return [part.strip(" \t") for part in _NUMBER.split(line)]


def _by_key(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in sorted({*expected, *found}):
        yield key, (expected.get(key, _MISSING), found.get(key, _MISSING))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if value is _MISSING:
        return ""
    return value if isinstance(value, str) else repr(value)

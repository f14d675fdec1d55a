"""Text as literals: everything that is not plain ASCII is written as an escape."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
EXACT_DOUBLE = 2**53
C_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(value: Any, special: Mapping[str, str] = C_ESCAPES, astral: str = "\\U{:08x}") -> str:
    r"""A double-quoted literal in which every character but plain ASCII is ``\uXXXX`` or as ``special`` says.

    ``astral`` is the form of characters beyond 16 bits; empty for a pair of surrogates.

    Raises:
        ValueError: not a text, or one that holds half of a character.
    """
    if not isinstance(value, str):
        raise ValueError(f"cannot write a {type(value).__name__}")
    whole_text(value)
    return '"' + "".join(special[char] if char in special else _escaped(char, astral) for char in value) + '"'


def whole_text(value: str) -> None:
    """Refuse half of a character.

    Raises:
        ValueError: the text holds a lone surrogate, which no encoding has.
    """
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("text must not hold half of a character")


def no_nul(value: str) -> None:
    """Refuse NUL where the language's texts cannot hold it.

    Raises:
        ValueError: the text holds NUL.
    """
    if "\x00" in value:
        raise ValueError("text must not hold a NUL character")


def _escaped(char: str, astral: str) -> str:
    if " " <= char <= "~":
        return char
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    if astral:
        return astral.format(code)
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def finite_or(value: float, nan: str, infinity: str, minus_infinity: str) -> str:
    """A float's shortest text, or the language's word where it is not finite."""
    if math.isnan(value):
        return nan
    if math.isinf(value):
        return infinity if value > 0 else minus_infinity
    return float.__repr__(value)


def exact_in_double(value: int) -> str:
    """A whole number for a language whose numbers are doubles.

    Raises:
        ValueError: doubles do not hold it exactly.
    """
    if abs(value) > EXACT_DOUBLE:
        raise ValueError(f"{value} is too large to be held exactly; pass it as text")
    return str(value)

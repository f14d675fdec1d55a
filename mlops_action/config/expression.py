"""Arithmetic over metrics: a small part of Python's expressions, and nothing that could do more than reckon.

How an expression is read is in ``expression_tree``, which is imported where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_action.frozen import frozen

if TYPE_CHECKING:
    from mlops_action.config.expression_tree import Expression

MAX_LENGTH = 500


class Undefined(ValueError):
    """The expression has no value for these numbers."""


@frozen
class Operand:
    """A metric in an expression, on all rows or on the slice in brackets."""

    metric: str
    slice: str = ""


def expression_of(text: str) -> Expression:
    """Check an expression.

    Raises:
        ValueError: no expression of this language, with what is wrong.
    """
    from mlops_action.config.expression_tree import parsed_expression

    return parsed_expression(text)


def expression_text(value: object) -> str:
    """A checked expression as its text.

    Raises:
        ValueError: no text, or no expression.
    """
    if not isinstance(value, str):
        raise ValueError("expected an expression such as `cost / correct`")
    return expression_of(value).text

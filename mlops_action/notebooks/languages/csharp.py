"""C#."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_action.notebooks.languages.interface import kind_of
from mlops_action.notebooks.languages.text import quoted
from mlops_action.notebooks.languages.writer import Writer

_TYPES = {"bool": "bool", "str": "string", "float": "double"}


class CSharp(Writer):
    """C# expressions; lists are arrays, mappings dictionaries of objects."""

    comment = "//"
    reals = ("double.NaN", "double.PositiveInfinity", "double.NegativeInfinity")

    def statement(self, name: str, value: Any) -> str:
        """``var @name = value;``; the ``@`` allows C#'s own words as well."""
        return f"{'object' if value is None else 'var'} @{name} = {self.literal(value)};"

    def whole(self, value: int) -> str:
        """``int``, ``long`` or ``BigInteger``."""
        if -(2**31) <= value < 2**31:
            return str(value)
        return f"{value}L" if -(2**63) <= value < 2**63 else f'System.Numerics.BigInteger.Parse("{value}")'

    def text(self, value: Any) -> str:
        """A quoted text."""
        return quoted(value)

    def sequence(self, values: Sequence[Any]) -> str:
        """An array of the values' type, else of objects."""
        return f"new {_element(values)}[] {{ {', '.join(map(self.literal, values))} }}"

    def mapping(self, values: dict[str, Any]) -> str:
        """A dictionary of objects."""
        pairs = ", ".join(f"[{self.text(key)}] = {self.literal(value)}" for key, value in values.items())
        return f"new System.Collections.Generic.Dictionary<string, object> {{ {pairs} }}"


def _element(values: Sequence[Any]) -> str:
    kinds = {kind_of(value) for value in values}
    if kinds == {"int"}:
        widest = max((*values, *(-value - 1 for value in values)))
        return "int" if widest < 2**31 else "long" if widest < 2**63 else "object"
    return _TYPES.get(kinds.pop(), "object") if len(kinds) == 1 else "object"

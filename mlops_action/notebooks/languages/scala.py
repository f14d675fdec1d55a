"""Scala."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_action.notebooks.languages.text import quoted
from mlops_action.notebooks.languages.writer import Writer

_WORDS = """abstract case catch class def do else extends false final finally for forSome if implicit import lazy match
new null object override package private protected return sealed super this throw trait true try type val var while
with yield"""


class Scala(Writer):
    """Scala expressions; lists are ``Seq``, mappings ``Map``, nothing is ``None``."""

    comment = "//"
    words = {None: "None", True: "true", False: "false"}  # noqa: RUF012  # typed by the base class
    reals = ("Double.NaN", "Double.PositiveInfinity", "Double.NegativeInfinity")
    reserved = frozenset(_WORDS.split())

    def statement(self, name: str, value: Any) -> str:
        """``val name = value``, which a cell may declare again."""
        return f"val {name} = {self.literal(value)}"

    def whole(self, value: int) -> str:
        """``Int``, ``Long`` or ``BigInt``."""
        if -(2**31) <= value < 2**31:
            return str(value)
        return f"{value}L" if -(2**63) <= value < 2**63 else f'BigInt("{value}")'

    def text(self, value: Any) -> str:
        """A quoted text.

        Raises:
            ValueError: it holds SUB, which older compilers take for the end of the file, even as an escape.
        """
        if "\x1a" in str(value):
            raise ValueError("text must not hold the control character SUB")
        return quoted(value, astral="")

    def sequence(self, values: Sequence[Any]) -> str:
        """``Seq(1, 2)``."""
        return "Seq(" + ", ".join(map(self.literal, values)) + ")"

    def mapping(self, values: dict[str, Any]) -> str:
        """``Map("a" -> 1)``."""
        return f"Map({self.pairs(values, ' -> ')})"

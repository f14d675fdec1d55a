"""F#."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_action.notebooks.languages.interface import kind_of
from mlops_action.notebooks.languages.text import quoted
from mlops_action.notebooks.languages.writer import Writer

_TYPED = {"str", "bool", "float", "int"}


class FSharp(Writer):
    """F# expressions; lists of one kind are lists of it, others of objects; mappings are ``dict``."""

    comment = "//"
    words = {None: "(null : obj)", True: "true", False: "false"}  # noqa: RUF012  # typed by the base class
    reals = ("nan", "infinity", "-infinity")

    def statement(self, name: str, value: Any) -> str:
        """``let ``name`` = value``; the backticks allow F#'s own words as well."""
        return f"let ``{name}`` = {self.literal(value)}"

    def whole(self, value: int) -> str:
        """``int``, ``int64`` or ``BigInteger``."""
        if -(2**31) <= value < 2**31:
            return str(value)
        return f"{value}L" if -(2**63) <= value < 2**63 else f'(System.Numerics.BigInteger.Parse "{value}")'

    def text(self, value: Any) -> str:
        """A quoted text."""
        return quoted(value)

    def sequence(self, values: Sequence[Any]) -> str:
        """A list."""
        if not values:
            return "([] : obj list)"
        kinds = {kind_of(value) for value in values}
        narrow = "int" not in kinds or all(-(2**31) <= value < 2**31 for value in values if isinstance(value, int))
        typed = len(kinds) == 1 and kinds <= _TYPED and narrow
        return f"[ {'; '.join(self.literal(value) if typed else self._boxed(value) for value in values)} ]"

    def mapping(self, values: dict[str, Any]) -> str:
        """``dict [ ("a", box 1) ]``."""
        pairs = "; ".join(f"({self.text(key)}, {self._boxed(value)})" for key, value in values.items())
        return f"dict [ {pairs} ]" if pairs else "dict ([] : (string * obj) list)"

    def _boxed(self, value: Any) -> str:
        return f"box ({self.literal(value)})"

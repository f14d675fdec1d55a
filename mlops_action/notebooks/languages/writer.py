"""What the languages share: one method for each kind of value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from mlops_action.notebooks.languages.interface import Declared, Language
from mlops_action.notebooks.languages.text import IDENTIFIER, finite_or


class Writer:
    """Writes values; a language says how each kind looks."""

    comment = "#"
    names: re.Pattern[str] = IDENTIFIER
    words: ClassVar[dict[bool | None, str]] = {None: "null", True: "true", False: "false"}
    reals = ("NaN", "Inf", "-Inf")
    """Not a number, infinity and minus infinity."""
    reserved: frozenset[str] = frozenset()

    def after(self, source: str) -> Language:
        """The same, where what was declared can be assigned to again."""
        del source
        return self

    def assign(self, name: str, value: Any) -> str:
        """``name = value``.

        Raises:
            ValueError: the language cannot hold the value, or the name is a word of its own.
        """
        if name in self.reserved:
            raise ValueError("a word of the language's own cannot be assigned to")
        return self.statement(name, value)

    def statement(self, name: str, value: Any) -> str:
        """The statement itself."""
        return f"{name} = {self.literal(value)}"

    def literal(self, value: Any) -> str:
        """An expression for a value.

        Raises:
            ValueError: the language cannot hold it.
        """
        if value is None or isinstance(value, bool):
            return self.words[value]
        if isinstance(value, int):
            return self.whole(value)
        if isinstance(value, float):
            return finite_or(value, *self.reals)
        if isinstance(value, dict):
            return self.mapping({str(key): each for key, each in value.items()})
        if isinstance(value, (list, tuple)):
            return self.sequence(value)
        return self.text(value)

    def whole(self, value: int) -> str:
        """A whole number."""
        return str(value)

    def text(self, value: Any) -> str:
        """A quoted text."""
        raise NotImplementedError

    def sequence(self, values: Sequence[Any]) -> str:
        """A list."""
        return "[" + ", ".join(map(self.literal, values)) + "]"

    def mapping(self, values: dict[str, Any]) -> str:
        """A mapping with texts as keys."""
        raise NotImplementedError

    def pairs(self, values: dict[str, Any], between: str) -> str:
        """Keys and values with ``between`` them, parted by commas."""
        return ", ".join(f"{self.text(key)}{between}{self.literal(value)}" for key, value in values.items())

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """What a cell of parameters declares: not told, where a language does not say how."""
        del source
        return None

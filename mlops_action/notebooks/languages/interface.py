"""The contract of a language: values to source, and a cell of parameters to what it declares."""

from __future__ import annotations

import re
from typing import Any, Protocol

from mlops_action.frozen import frozen


@frozen
class Declared:
    """A parameter as a notebook declares it."""

    name: str
    type: str = ""
    """As the notebook writes it, else as the default's kind is called; empty when neither says anything."""
    default: str = ""
    """Source of the default."""
    doc: str = ""
    kinds: tuple[str, ...] = ()
    """Kinds of JSON values that fit: ``str int float bool list dict null``; empty when any does."""
    choices: tuple[Any, ...] = ()
    """The only values that fit, where they are listed."""

    def fits(self, value: Any) -> bool:
        """Whether a value is of the declared type; a whole number is a float as well."""
        if self.choices:
            return any(_same(value, choice) for choice in self.choices)
        if not self.kinds:
            return True
        kind = kind_of(value)
        return kind in self.kinds or (kind == "int" and "float" in self.kinds)


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def kind_of(value: Any) -> str:
    """Kind of a JSON value."""
    kinds = {bool: "bool", int: "int", str: "str", dict: "dict", type(None): "null"}
    if isinstance(value, float):
        return "float"
    return "list" if isinstance(value, (list, tuple)) else kinds.get(type(value), "str")


class Language(Protocol):
    """Writes values of JSON's kinds as source text that gives the same value back.

    Laws, tested for every language: text is quoted so that it can never end early (what a
    parameter holds is data, not code); a value that the language cannot hold exactly is a
    ``ValueError``, never another value.
    """

    comment: str
    names: re.Pattern[str]
    """What a name of a variable looks like."""

    def after(self, source: str) -> Language:
        """The language as it is written after a cell of parameters with that source."""

    def assign(self, name: str, value: Any) -> str:
        """The assignment of ``value`` to ``name`` as one statement.

        Raises:
            ValueError: the language cannot hold the value, or not under that name.
        """

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """What a cell of parameters declares; None when this cannot be told from its source."""

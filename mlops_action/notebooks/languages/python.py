"""Python."""

from __future__ import annotations

import math
from keyword import iskeyword
from typing import Any

from mlops_action.notebooks.languages.interface import Declared, Language
from mlops_action.notebooks.languages.python_declared import declared_in
from mlops_action.notebooks.languages.text import IDENTIFIER


class Python:
    """Python literals."""

    comment = "#"
    names = IDENTIFIER

    def after(self, source: str) -> Language:
        """The same: a variable can be assigned to again."""
        del source
        return self

    def assign(self, name: str, value: Any) -> str:
        """``name = value``.

        Raises:
            ValueError: the name is a word of Python's own.
        """
        if iskeyword(name):
            raise ValueError(f"a word of Python's own cannot be assigned to; rename it, for example to `{name}_`")
        return f"{name} = {self.literal(value)}"

    def literal(self, value: Any) -> str:
        """A literal, or ``float('nan')`` and the like where there is none."""
        if isinstance(value, float):
            return float.__repr__(value) if math.isfinite(value) else f"float('{float.__repr__(value)}')"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{str(k)!r}: {self.literal(v)}" for k, v in value.items()) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(self.literal, value)) + "]"
        return repr(value)

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """Assignments, with their annotations and comments."""
        return declared_in(source)

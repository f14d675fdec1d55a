"""How each language writes ``name = value``: one small class a language."""

from __future__ import annotations

import json
import math
import re
from keyword import iskeyword
from typing import Any, Protocol

from mlops_action.errors import BadValue

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Language(Protocol):
    """Writes values of JSON's kinds as source text that gives the same value back.

    Text is quoted so that it can never end early: what a parameter holds is data, not code.
    """

    comment: str

    def assign(self, name: str, value: Any) -> str:
        """The assignment of ``value`` to ``name`` as one statement."""


def assignments(language: Language, parameters: dict[str, Any], origin: str) -> str:
    """Source of a cell that assigns all parameters.

    Raises:
        BadValue: a name that is no identifier, or a value that the language cannot write.
    """
    lines = [f"{language.comment} Parameters"]
    for name, value in parameters.items():
        if not _NAME.fullmatch(name):
            raise BadValue(f"`{name}` cannot be the name of a variable", origin=origin)
        try:
            lines.append(language.assign(name, value))
        except ValueError as error:
            raise BadValue(f"parameter `{name}`: {error}", origin=origin) from None
    return "\n".join(lines)


class Python:
    """Python literals."""

    comment = "#"

    def assign(self, name: str, value: Any) -> str:
        """``name = value``."""
        if iskeyword(name):
            raise ValueError(f"a word of Python's own cannot be assigned to; rename it, for example to `{name}_`")
        return f"{name} = {self.literal(value)}"

    def literal(self, value: Any) -> str:
        """A literal, or ``float('nan')`` and the like where there is none."""
        if isinstance(value, float) and not math.isfinite(value):
            return f"float('{value}')"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{str(k)!r}: {self.literal(v)}" for k, v in value.items()) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(self.literal, value)) + "]"
        return repr(value)


class R:
    """R expressions; lists and mappings are ``list``."""

    comment = "#"

    def assign(self, name: str, value: Any) -> str:
        """``name = value``."""
        return f"{name} = {self.literal(value)}"

    def literal(self, value: Any) -> str:
        """An R expression."""
        if value is None or isinstance(value, bool):
            return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
        if isinstance(value, int):
            return f"{value}L" if abs(value) < 2**31 else str(value)
        if isinstance(value, float):
            return {"nan": "NaN", "inf": "Inf", "-inf": "-Inf"}.get(str(value), repr(value))
        if isinstance(value, dict):
            return "list(" + ", ".join(f"{json.dumps(str(k))} = {self.literal(v)}" for k, v in value.items()) + ")"
        if isinstance(value, (list, tuple)):
            return "list(" + ", ".join(map(self.literal, value)) + ")"
        return _plain_text(value)


class Julia:
    """Julia expressions."""

    comment = "#"

    def assign(self, name: str, value: Any) -> str:
        """``name = value``."""
        return f"{name} = {self.literal(value)}"

    def literal(self, value: Any) -> str:
        """A Julia expression."""
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return {"nan": "NaN", "inf": "Inf", "-inf": "-Inf"}.get(str(value), repr(value))
        if isinstance(value, dict):
            return "Dict(" + ", ".join(f"{_julia_text(k)} => {self.literal(v)}" for k, v in value.items()) + ")"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(self.literal, value)) + "]"
        return _julia_text(value) if isinstance(value, str) else str(value)


class JavaScript:
    """JavaScript and TypeScript: JSON is a literal there; ``var`` may be declared again."""

    comment = "//"

    def assign(self, name: str, value: Any) -> str:
        """``var name = value;``."""
        text = json.dumps(value).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        return f"var {name} = {text};"


class Bash:
    """Shell variables; a list is an array, a mapping cannot be written."""

    comment = "#"

    def assign(self, name: str, value: Any) -> str:
        """``name=value``."""
        if isinstance(value, (list, tuple)):
            return f"{name}=({' '.join(map(self.literal, value))})"
        return f"{name}={self.literal(value)}"

    def literal(self, value: Any) -> str:
        """A quoted word."""
        import shlex

        if isinstance(value, (dict, list, tuple)):
            raise ValueError("bash has no nested values")
        if value is None:
            return "''"
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if "\x00" in text:
            raise ValueError("text must not hold a NUL character")
        return shlex.quote(text)


def _plain_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"cannot write a {type(value).__name__}")
    if "\x00" in value:
        raise ValueError("text must not hold a NUL character")
    return json.dumps(value, ensure_ascii=False)


def _julia_text(value: Any) -> str:
    return _plain_text(str(value)).replace("$", "\\$")

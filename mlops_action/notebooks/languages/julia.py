"""Julia."""

from __future__ import annotations

import re
from typing import Any

from mlops_action.notebooks.languages.interface import Declared
from mlops_action.notebooks.languages.lines import DECIMAL, INTEGER, LineReader
from mlops_action.notebooks.languages.text import C_ESCAPES, quoted
from mlops_action.notebooks.languages.writer import Writer

_WORDS = """baremodule begin break catch const continue do else elseif end export false finally for function global
if import let local macro module quote return struct true try using while"""
_SPECIAL = {**C_ESCAPES, "$": "\\$"}


def _kinds(written: str) -> tuple[str, ...]:
    if re.fullmatch(r"U?Int\d*|Integer", written):
        return ("int",)
    if re.fullmatch(r"Float\d*|AbstractFloat|Real|Number", written):
        return ("float",)
    return {"String": ("str",), "AbstractString": ("str",), "Bool": ("bool",)}.get(written, ())


_READER = LineReader(
    re.compile(r"\s*(?:const\s+|global\s+)?(?P<name>[A-Za-z_]\w*)\s*(?:::(?P<type>[^=]+?))?\s*=(?!=)\s*(?P<value>.*)"),
    "#",
    (
        (r'"(?:[^"\\]|\\.)*"', ("str",)),
        ("true|false", ("bool",)),
        (INTEGER, ("int",)),
        (DECIMAL, ("float",)),
        (r"\[.*\]", ("list",)),
        (r"Dict\(.*\)", ("dict",)),
    ),
    _kinds,
)


class Julia(Writer):
    """Julia expressions; whole numbers beyond 64 bits become wider by themselves."""

    words = {None: "nothing", True: "true", False: "false"}  # noqa: RUF012  # typed by the base class
    reserved = frozenset(_WORDS.split())

    def text(self, value: Any) -> str:
        """A quoted text; ``$`` would insert a value."""
        return quoted(value, _SPECIAL)

    def mapping(self, values: dict[str, Any]) -> str:
        """``Dict("a" => 1)``."""
        return f"Dict({self.pairs(values, ' => ')})"

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """Assignments, a line each, with their ``::Type``."""
        return _READER.read(source)

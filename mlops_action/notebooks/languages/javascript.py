"""JavaScript and TypeScript."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_action.notebooks.languages.interface import Declared
from mlops_action.notebooks.languages.lines import DECIMAL, STRING, LineReader
from mlops_action.notebooks.languages.text import exact_in_double, quoted
from mlops_action.notebooks.languages.writer import Writer

_WORDS = """await break case catch class const continue debugger default delete do else enum export extends
false finally for function if implements import in instanceof interface let new null package private
protected public return static super switch this throw true try typeof var void while with yield"""


def _kinds(written: str) -> tuple[str, ...]:
    names = {"string": "str", "number": "float", "boolean": "bool", "null": "null", "undefined": "null"}
    found = ["list" if part.endswith("[]") else names.get(part, "") for part in re.split(r"\s*\|\s*", written)]
    return tuple(found) if all(found) else ()


_READER = LineReader(
    re.compile(
        r"\s*(?:export\s+)?(?:(?:var|let|const)\s+)?(?P<name>[A-Za-z_$][\w$]*)"
        r"\s*(?::\s*(?P<type>[^=]+?))?\s*=(?![=>])\s*(?P<value>.*)"
    ),
    "//",
    (
        (f"{STRING}|`[^`$]*`", ("str",)),
        ("true|false", ("bool",)),
        (DECIMAL, ("float",)),
        (r"\[.*\]", ("list",)),
        (r"\{.*\}", ("dict",)),
    ),
    _kinds,
)


_DECLARATION = re.compile(r"(?m)^[ \t]*(?:export\s+)?(var|let|const)\b((?:,[ \t]*\n|[^;\n])*)")
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


class JavaScript(Writer):
    """JavaScript and TypeScript.

    ``var`` may be declared again, but not after ``let`` or ``const``; kernels let these two be
    declared again in another cell by the same word.
    """

    comment = "//"
    reals = ("NaN", "Infinity", "-Infinity")
    reserved = frozenset(_WORDS.split())

    def __init__(self, words_of: Mapping[str, str] | None = None) -> None:
        """Declare each name by its word in ``words_of``, others by ``var``."""
        self.words_of = words_of or {}

    def after(self, source: str) -> JavaScript:
        """Each name is declared as the notebook does it."""
        return JavaScript(dict(_words_of(source)))

    def statement(self, name: str, value: Any) -> str:
        """``var name = value;``, or with the word that the name was declared by."""
        return f"{self.words_of.get(name, 'var')} {name} = {self.literal(value)};"

    def whole(self, value: int) -> str:
        """A number, where it is exact."""
        return exact_in_double(value)

    def text(self, value: Any) -> str:
        """A text as in JSON, ASCII alone."""
        return quoted(value, astral="")

    def mapping(self, values: dict[str, Any]) -> str:
        """An object; ``__proto__`` in brackets, as it would else set the prototype."""
        keys = {key: f"[{self.text(key)}]" if key == "__proto__" else self.text(key) for key in values}
        return "{" + ", ".join(f"{keys[key]}: {self.literal(value)}" for key, value in values.items()) + "}"

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """``let``, ``const``, ``var`` and plain assignments, a line each, with TypeScript's types."""
        return _READER.read(source)


def _words_of(source: str) -> Iterator[tuple[str, str]]:
    """Names in declarations, with the word; the first one counts, so it comes last."""
    for word, names in reversed(_DECLARATION.findall(source)):
        yield from ((name, word) for name in _NAME.findall(names))

"""MATLAB and Octave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mlops_action.notebooks.languages.text import exact_in_double, whole_text
from mlops_action.notebooks.languages.writer import Writer

_WORDS = """break case catch classdef continue do else elseif end for function global if otherwise parfor persistent
return spmd switch try until while"""
_SPECIAL = re.compile(r"[^ -~]+")


class Matlab(Writer):
    """MATLAB expressions; texts are character vectors, lists are cells, mappings are ``containers.Map``."""

    comment = "%"
    names = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
    words = {None: "[]", True: "true", False: "false"}  # noqa: RUF012  # typed by the base class
    reserved = frozenset(_WORDS.split())

    def statement(self, name: str, value: Any) -> str:
        """``name = value;``."""
        return f"{name} = {self.literal(value)};"

    def whole(self, value: int) -> str:
        """A number, where it is exact."""
        return exact_in_double(value)

    def sequence(self, values: Sequence[Any]) -> str:
        """``{1, 2}``."""
        return "{" + ", ".join(map(self.literal, values)) + "}"

    def mapping(self, values: dict[str, Any]) -> str:
        """``containers.Map({'a'}, {1}, 'UniformValues', false)``."""
        if not values:
            return "containers.Map()"
        keys = ", ".join(map(self.text, values))
        return f"containers.Map({{{keys}}}, {self.sequence(list(values.values()))}, 'UniformValues', false)"

    def text(self, value: Any) -> str:
        """A text in single quotes, where nothing but a quote is special; the rest by its codes.

        Raises:
            ValueError: not a text.
        """
        if not isinstance(value, str):
            raise ValueError(f"cannot write a {type(value).__name__}")
        whole_text(value)
        if not _SPECIAL.search(value):
            return _plain(value)
        parts, end = [], 0
        for found in _SPECIAL.finditer(value):
            parts += [_plain(value[end : found.start()])] if found.start() > end else []
            parts.append(f"char([{' '.join(map(str, self.codes(found[0])))}])")
            end = found.end()
        parts += [_plain(value[end:])] if end < len(value) else []
        return f"[{', '.join(parts)}]"

    def codes(self, text: str) -> list[int]:
        """Character codes: UTF-16 there."""
        raw = text.encode("utf-16-le")
        return [raw[i] + 256 * raw[i + 1] for i in range(0, len(raw), 2)]


class Octave(Matlab):
    """Octave: as MATLAB, but its characters are bytes of UTF-8."""

    def codes(self, text: str) -> list[int]:
        """Bytes of UTF-8."""
        return list(text.encode())


def _plain(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

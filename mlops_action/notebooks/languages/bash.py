"""bash."""

from __future__ import annotations

import re
import shlex
from typing import Any

from mlops_action.notebooks.languages.interface import Declared
from mlops_action.notebooks.languages.lines import LineReader
from mlops_action.notebooks.languages.text import IDENTIFIER, no_nul, whole_text

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
"""Characters at which an interactive shell does something else, or a kernel's program takes a line to end."""
_ESCAPED = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029'\\!]")
_ARRAY = re.compile(r"(?m)(?:^|[\s;])(?:([A-Za-z_]\w*)\+?=\(|(?:declare|typeset)\s+-\w*[aA]\w*\s+([A-Za-z_]\w*))")
_READER = LineReader(
    re.compile(r"\s*(?:(?:export|readonly|declare(?:\s+-\w+)?|local)\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>.*)"),
    r"\s#",
    (),
)


class Bash:
    """Shell variables; a list is an array, a mapping cannot be written."""

    comment = "#"
    names = IDENTIFIER

    def __init__(self, arrays: frozenset[str] = frozenset()) -> None:
        """Names in ``arrays`` are arrays: one value would replace their first item alone."""
        self.arrays = arrays

    def after(self, source: str) -> Bash:
        """Knows which variables are arrays."""
        return Bash(frozenset(first or second for first, second in _ARRAY.findall(source)))

    def assign(self, name: str, value: Any) -> str:
        """``name=value``.

        Raises:
            ValueError: a mapping, a list of lists, or text with NUL.
        """
        if isinstance(value, (list, tuple)):
            return f"{name}=({' '.join(map(self.literal, value))})"
        again = f"unset -v {name}; " if name in self.arrays else ""
        return f"{again}{name}={self.literal(value)}"

    def literal(self, value: Any) -> str:
        """A quoted word; nothing is the empty one."""
        if isinstance(value, (dict, list, tuple)):
            raise ValueError("bash has no nested values")
        if value is None:
            return "''"
        text = str(value).lower() if isinstance(value, bool) else str(value)
        no_nul(text)
        whole_text(text)
        if not _CONTROL.search(text):
            return shlex.quote(text)
        # An interactive shell would complete names at a tab; so control characters are written as escapes.
        return "$'" + _ESCAPED.sub(_as_bytes, text) + "'"

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """Assignments, a line each; every value is text there."""
        return _READER.read(source)


def _as_bytes(found: re.Match[str]) -> str:
    """A character as its bytes in UTF-8, which bash takes in every locale."""
    return "".join(f"\\x{byte:02x}" for byte in found[0].encode())

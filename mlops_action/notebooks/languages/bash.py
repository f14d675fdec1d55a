"""bash."""

from __future__ import annotations

import re
import shlex
from typing import Any

from mlops_action.notebooks.languages.interface import Declared, Language
from mlops_action.notebooks.languages.lines import LineReader
from mlops_action.notebooks.languages.text import IDENTIFIER, no_nul, whole_text

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPED = re.compile(r"[\x00-\x1f\x7f'\\!]")
_READER = LineReader(
    re.compile(r"\s*(?:(?:export|readonly|declare(?:\s+-\w+)?|local)\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>.*)"),
    r"\s#",
    (),
)


class Bash:
    """Shell variables; a list is an array, a mapping cannot be written."""

    comment = "#"
    names = IDENTIFIER

    def after(self, source: str) -> Language:
        """The same: a variable can be assigned to again."""
        del source
        return self

    def assign(self, name: str, value: Any) -> str:
        """``name=value``.

        Raises:
            ValueError: a mapping, a list of lists, or text with NUL.
        """
        if isinstance(value, (list, tuple)):
            return f"{name}=({' '.join(map(self.literal, value))})"
        return f"{name}={self.literal(value)}"

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
        return "$'" + _ESCAPED.sub(lambda found: f"\\x{ord(found[0]):02x}", text) + "'"

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """Assignments, a line each; every value is text there."""
        return _READER.read(source)

"""R."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mlops_action.notebooks.languages.interface import Declared
from mlops_action.notebooks.languages.lines import DECIMAL, STRING, LineReader
from mlops_action.notebooks.languages.text import exact_in_double, no_nul, quoted
from mlops_action.notebooks.languages.writer import Writer

_READER = LineReader(
    re.compile(r"\s*(?P<name>[A-Za-z.][\w.]*)\s*(?:<-|=(?!=))\s*(?P<value>.*)"),
    "#",
    ((STRING, ("str",)), (r"TRUE|FALSE|T|F", ("bool",)), (r"-?\d+L", ("int",)), (DECIMAL, ("float",))),
)
_WORDS = """if else repeat while function for next break TRUE FALSE NULL Inf NaN NA in"""


class R(Writer):
    """R expressions; lists and mappings are ``list``."""

    names = re.compile(r"(?:[A-Za-z]|\.(?!\d))[A-Za-z0-9._]*")
    words = {None: "NULL", True: "TRUE", False: "FALSE"}  # noqa: RUF012  # typed by the base class
    reserved = frozenset(_WORDS.split())

    def whole(self, value: int) -> str:
        """An integer of 32 bits, else a double."""
        return f"{value}L" if abs(value) < 2**31 else exact_in_double(value)

    def text(self, value: Any) -> str:
        """A quoted text."""
        no_nul(str(value))
        return quoted(value)

    def sequence(self, values: Sequence[Any]) -> str:
        """``list(1L, 2L)``."""
        return "list(" + ", ".join(map(self.literal, values)) + ")"

    def mapping(self, values: dict[str, Any]) -> str:
        """``list("a" = 1L)``."""
        if "" in values:
            raise ValueError("R has no names without letters")
        return f"list({self.pairs(values, ' = ')})"

    def declared(self, source: str) -> tuple[Declared, ...] | None:
        """Assignments by ``<-`` or ``=``, a line each."""
        return None if source.lstrip().startswith("%%") else _READER.read(source)

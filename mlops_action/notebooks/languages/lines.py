"""Cells of parameters whose assignments are lines: what a pattern and a table of literals tell of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mlops_action.frozen import frozen
from mlops_action.notebooks.languages.interface import Declared

STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
INTEGER = r"[-+]?\d[\d_]*"
DECIMAL = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"

Literals = Sequence[tuple[str, tuple[str, ...]]]
"""Patterns of literals, and the kinds that fit in their place; the first that matches counts."""


@frozen
class LineReader:
    """Reads declarations of one language, a line each.

    ``assignment`` has the groups ``name``, ``value`` and perhaps ``type``; ``types`` turns a
    written type into kinds.
    """

    assignment: re.Pattern[str]
    comment: str
    literals: Literals
    types: Callable[[str], tuple[str, ...]] = lambda _: ()

    def read(self, source: str) -> tuple[Declared, ...]:
        """What the lines declare; other lines are passed over."""
        found: dict[str, Declared] = {}
        for line in source.splitlines():
            match = self.assignment.match(line)
            if match:
                code, doc = self.parted(match["value"])
                written = (match.groupdict().get("type") or "").strip()
                kinds = self.types(written) if written else self._kinds(code)
                shown = written or (kinds[0] if kinds else "")
                found[match["name"]] = Declared(match["name"], shown, code, doc, kinds)
        return tuple(found.values())

    def parted(self, rest: str) -> tuple[str, str]:
        """Value and comment of the rest of a line; a comment's sign within quotes is none."""
        match = re.match(rf"(?:{STRING}|(?!{self.comment})[^\"'])*", rest)
        code = match[0] if match else rest
        doc = re.sub(rf"^{self.comment}\s*", "", rest[len(code) :])
        return code.strip().rstrip(";").strip(), doc.strip()

    def _kinds(self, code: str) -> tuple[str, ...]:
        return next((kinds for pattern, kinds in self.literals if re.fullmatch(pattern, code)), ())

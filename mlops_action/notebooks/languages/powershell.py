"""PowerShell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mlops_action.notebooks.languages.text import whole_text
from mlops_action.notebooks.languages.writer import Writer

_SPECIAL = re.compile(r"[^ -~]")


class PowerShell(Writer):
    """PowerShell expressions; mappings keep their order."""

    words = {None: "$null", True: "$true", False: "$false"}  # noqa: RUF012  # typed by the base class
    reals = ("[double]::NaN", "[double]::PositiveInfinity", "[double]::NegativeInfinity")

    def statement(self, name: str, value: Any) -> str:
        """``$name = value``."""
        return f"${name} = {self.literal(value)}"

    def whole(self, value: int) -> str:
        """A number of up to 64 bits, else a big one."""
        return str(value) if -(2**63) <= value < 2**63 else f"[bigint]'{value}'"

    def sequence(self, values: Sequence[Any]) -> str:
        """``@(1, 2)``; the comma before a value alone keeps a list in a list."""
        return f"@({',' if len(values) == 1 else ''}{', '.join(map(self.literal, values))})"

    def mapping(self, values: dict[str, Any]) -> str:
        """``[ordered]@{ 'a' = 1 }``."""
        if len({key.lower() for key in values}) < len(values):
            raise ValueError("PowerShell does not tell keys apart by their case")
        pairs = "; ".join(f"{self.text(key)} = {self.literal(value)}" for key, value in values.items())
        return f"[ordered]@{{ {pairs} }}"

    def text(self, value: Any) -> str:
        """A text in single quotes; typographic quotes end one there, so all but ASCII is written by its code.

        Raises:
            ValueError: not a text.
        """
        if not isinstance(value, str):
            raise ValueError(f"cannot write a {type(value).__name__}")
        whole_text(value)
        plain = "'" + value.replace("'", "''") + "'"
        if not _SPECIAL.search(value):
            return plain
        return "(" + _SPECIAL.sub(lambda found: f"' + [char]::ConvertFromUtf32({ord(found[0])}) + '", plain) + ")"

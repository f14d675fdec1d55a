"""What a verification says of one thing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from mlops_action.canonical import Json
from mlops_action.frozen import frozen


class Is(StrEnum):
    """How a thing stands to its record."""

    RIGHT = "right"
    ALTERED = "altered"
    MISSING = "missing"
    EXTRA = "extra"
    UNCHECKED = "not checked"


WRONG = (Is.ALTERED, Is.MISSING, Is.EXTRA)


@frozen
class Finding:
    """One thing that was looked at."""

    kind: str
    what: str
    state: Is
    why: str = ""

    def line(self) -> str:
        """For people."""
        why = f" ({self.why})" if self.why else ""
        return f"{self.state:<11}  {self.kind} {self.what}{why}"

    def json(self) -> Json:
        """For programs."""
        return {"kind": self.kind, "what": self.what, "state": str(self.state), "why": self.why}


def is_wrong(findings: Iterable[Finding]) -> bool:
    """Whether anything is not as it was recorded."""
    return any(each.state in WRONG for each in findings)

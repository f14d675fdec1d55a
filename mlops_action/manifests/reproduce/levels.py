"""How far a reproduction came: checks, and the level below which none of them failed."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from mlops_action.canonical import Json
from mlops_action.frozen import frozen


class Level(IntEnum):
    """What was shown of a run. Each level needs all checks of the levels below it."""

    NOTHING = -1
    RECORDED = 0
    PINNED = 1
    REBUILDABLE = 2
    REBUILT = 3
    TOLERANCE = 4
    BITS = 5

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    Level.NOTHING: "nothing",
    Level.RECORDED: "recorded",
    Level.PINNED: "inputs pinned",
    Level.REBUILDABLE: "environment rebuildable",
    Level.REBUILT: "environment equal",
    Level.TOLERANCE: "re-run within tolerance",
    Level.BITS: "bit-identical",
}


@frozen
class Check:
    """One thing that was tried."""

    level: Level
    name: str
    ok: bool
    why: str = ""

    def json(self) -> Json:
        """As it is kept between stages."""
        return {"level": int(self.level), "name": self.name, "ok": self.ok, "why": self.why}

    @classmethod
    def of(cls, value: Json) -> Check:
        """Read what was kept."""
        return cls(Level(value["level"]), str(value["name"]), value["ok"] is True, str(value["why"]))


def level_of(checks: Iterable[Check]) -> Level:
    """The highest level up to which every level was checked and nothing failed."""
    found = list(checks)
    reached = Level.NOTHING
    for level in list(Level)[1:]:
        at_level = [check.ok for check in found if check.level is level]
        if not at_level or not all(at_level):
            break
        reached = level
    return reached

"""How many findings are shown where a system shows only so many."""

from __future__ import annotations

from mlops_action.records import Annotation


def within(annotations: tuple[Annotation, ...], level: str, limit: int) -> tuple[list[Annotation], int]:
    """The findings of a level that are shown, and how many are not.

    One that says how many more there are counts as shown.
    """
    mine = [each for each in annotations if each.level == level]
    if len(mine) <= limit:
        return mine, 0
    shown = max(0, limit - 1)
    return mine[:shown], len(mine) - shown

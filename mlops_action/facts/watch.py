"""Whether declared data stayed as it was while the steps ran."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_action.digests import search
from mlops_action.facts.places import is_address, told_apart
from mlops_action.facts.remote_data import marks
from mlops_action.records import Fact, Uncaptured

MOST_NAMED = 100
"""The others are counted."""
Stat = tuple[int, int, int, int]


class Watch:
    """Looks at the metadata before and after: a change of content changes a time that nobody can set back.

    Of an object elsewhere it is what its store changes with the object: version, entity tag or time.
    """

    def __init__(self, root: Path, entries: Sequence[str]) -> None:
        """Look for the first time."""
        declared = told_apart(entries)
        self._root, self._patterns, self._addresses = root, declared.patterns, declared.addresses
        self._before = self._look()

    def changed(self) -> list[str]:
        """Paths of files that were written, replaced, removed or added since."""
        after = self._look()
        return sorted(name for name in self._before | after if self._before.get(name) != after.get(name))

    def _look(self) -> dict[str, Stat | str]:
        found: dict[str, Stat | str] = dict(marks(self._addresses))
        for name in search(self._root, self._patterns).names if self._patterns else ():
            try:
                seen = os.stat(f"{self._root}/{name}")  # noqa: PTH116  # one call for each of many files
            except OSError:
                continue
            found[name] = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        return found


def with_changes(facts: Iterable[Fact], changed: Iterable[str]) -> tuple[Fact, ...]:
    """The facts, of which the one about data tells what changed during the run."""
    why = "it changed during the run; only its state before the first step is recorded"
    names = list(changed)
    gaps = tuple(Uncaptured(f"data `{name}`", why) for name in names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        gaps += (Uncaptured(f"{len(names) - MOST_NAMED} more data files", why.replace("it", "they", 1)),)
    local = tuple(gap for gap in gaps if not is_address(gap.what.removeprefix("data `")))
    told = {"data": local, "remote-data": tuple(gap for gap in gaps if gap not in local)}
    return tuple(replace(fact, uncaptured=(*fact.uncaptured, *told.get(fact.name, ()))) for fact in facts)

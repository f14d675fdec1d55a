"""Which steps have to wait for which: for those that they need, and for those that touch the same files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from mlops_action.records import PlannedStep


def waits(steps: Sequence[PlannedStep]) -> Mapping[str, frozenset[str]]:
    """For each step, the earlier ones that must have ended before it may start.

    Besides its needs, these are the steps that write what it reads or writes, and those that
    read what it writes: one after the other they are right in the order of the plan, and side
    by side they would be right by luck.
    """
    found: dict[str, frozenset[str]] = {}
    for place, step in enumerate(steps):
        found[step.name] = frozenset(step.needs).union(each.name for each in steps[:place] if _in_conflict(each, step))
    return found


def chains(steps: Sequence[PlannedStep]) -> list[list[str]]:
    """Groups of steps that have nothing to do with each other, in the order of their first steps."""
    group: dict[str, list[str]] = {step.name: [step.name] for step in steps}
    for name, others in waits(steps).items():
        for other in others:
            mine, theirs = group[name], group[other]
            if mine is not theirs:
                mine += theirs
                group |= dict.fromkeys(theirs, mine)
    place = {step.name: i for i, step in enumerate(steps)}
    different = {id(each): sorted(each, key=place.__getitem__) for each in group.values()}
    return sorted(different.values(), key=lambda names: place[names[0]])


def overlap(wanted: str, promised: str) -> bool:
    """Whether two patterns can stand for the same file."""
    return (
        wanted == promised
        or fnmatchcase(promised, wanted)
        or fnmatchcase(wanted, promised)
        or promised.startswith(wanted.rstrip("/") + "/")
        or wanted.startswith(promised.rstrip("/") + "/")
    )


def _in_conflict(first: PlannedStep, second: PlannedStep) -> bool:
    written, writes = (*first.outputs, *first.metrics), (*second.outputs, *second.metrics)
    return _any_overlap(written, (*second.inputs, *writes)) or _any_overlap(first.inputs, writes)


def _any_overlap(some: Iterable[str], others: Sequence[str]) -> bool:
    return any(overlap(one, other) for one in some for other in others)

"""The stages in their order; each can be run alone, and what was done is not done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mlops_action.manifests.reproduce.environment import environment
from mlops_action.manifests.reproduce.inputs import data, record, source
from mlops_action.manifests.reproduce.levels import Check, Level, level_of
from mlops_action.manifests.reproduce.rerun import compare, rerun
from mlops_action.manifests.reproduce.workplace import Workplace
from mlops_action.sanitize import inline

Stage = Callable[[Workplace], Iterator[Check]]
STAGES: dict[str, Stage] = {
    "record": record,
    "source": source,
    "data": data,
    "environment": environment,
    "run": rerun,
    "compare": compare,
}
_NEEDS = {"data": "source", "run": "source", "compare": "run"}


def reproduce(place: Workplace, only: Sequence[str] = (), *, again: bool = False) -> list[Check]:
    """Do the stages that are asked for and not done yet; all checks so far are returned.

    Raises:
        BadValue: the folder holds the reproduction of another manifest.
        WriteFailed: no space or no permission.
    """
    done = {} if again and not only else place.kept()
    for name, stage in STAGES.items():
        if only and name not in only:
            continue
        if not only and name in done and all(check.ok for check in done[name]):
            place.say(f"{name}: done before")
            continue
        if not _possible(name, done):
            place.say(f"{name}: left out, because `{_NEEDS[name]}` did not come to its end")
            done.pop(name, None)
            continue
        place.say(f"{name}:")
        done[name] = list(stage(place))
        place.keep(done)
    return [check for name in STAGES for check in done.get(name, ())]


def _possible(name: str, done: dict[str, list[Check]]) -> bool:
    """A stage needs what another one made: a clone, or a run. That its checks failed alone does not matter."""
    needed = _NEEDS.get(name)
    if needed is None:
        return True
    checks = done.get(needed, [])
    return bool(checks) and checks[0].ok


def result_lines(checks: Sequence[Check]) -> Iterator[str]:
    """What came of it, for people."""
    for check in checks:
        if not check.ok:
            yield f"  failed  {check.level.words}: {inline(check.name)} ({inline(check.why)})"
    level = level_of(checks)
    yield f"{sum(check.ok for check in checks)} of {len(checks)} checks hold"
    yield f"Level {int(level)}: {level.words}" if level >= 0 else "No level: the manifest is not whole"
    yield from _beyond(checks, level)


def _beyond(checks: Sequence[Check], level: Level) -> Iterator[str]:
    """What holds above the level that was reached, and what stands in the way of it."""
    above = [each for each in Level if each > level + 1]
    tried = {check.level for check in checks}
    full = [each.words for each in above if each in tried and all(check.ok for check in checks if check.level is each)]
    if full and Level.NOTHING < level < Level.BITS:
        yield f"Above it hold: {', '.join(full)}; what failed keeps the run from that level"

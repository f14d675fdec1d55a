"""One thing that was looked at, and all of them for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from enum import StrEnum

from mlops_action.canonical import Json
from mlops_action.errors import MlopsError
from mlops_action.frozen import frozen
from mlops_action.sanitize import inline


class Health(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    """Something is wrong with it, and the configuration does not need it."""
    BROKEN = "broken"


@frozen
class Finding:
    """One thing that was looked at."""

    about: str
    """What it is one of: ``kernels``, ``environments``, ``tools``, …"""
    name: str
    said: str
    """What is known of it, in a line."""
    details: dict[str, Json] = field(default_factory=dict)
    problem: str = ""
    remedy: str = ""
    needed: bool = False
    """Whether the configuration needs it."""

    @property
    def health(self) -> Health:
        """Whether something is wrong with it, and whether that matters."""
        if not self.problem:
            return Health.OK
        return Health.BROKEN if self.needed else Health.WARNING

    def document(self) -> dict[str, Json]:
        """For machines."""
        wrong = {"problem": self.problem, "remedy": self.remedy} if self.problem else {}
        return {"name": self.name, "health": str(self.health), "needed": self.needed, **self.details, **wrong}


def of_error(about: str, name: str, error: MlopsError, *, needed: bool) -> Finding:
    """What an error says of something that was looked at."""
    return Finding(about, name, "", {}, str(error), error.hint, needed)


def document(findings: Sequence[Finding]) -> dict[str, Json]:
    """Everything for machines: by what it is one of."""
    groups: dict[str, Json] = {}
    for each in findings:
        groups.setdefault(each.about, []).append(each.document())
    return {"ok": not any(each.health is Health.BROKEN for each in findings), **groups}


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Everything for people."""
    group = ""
    width = max((len(inline(each.name)) for each in findings), default=0)
    for each in findings:
        if each.about != group:
            yield from ([""] if group else [])
            yield f"{each.about.capitalize()}:"
            group = each.about
        mark = f"{each.health:<8}"
        said = inline("; ".join(part for part in (each.said, each.problem) if part))
        yield f"  {mark} {inline(each.name):<{min(width, 24)}}  {said}".rstrip()
        if each.problem and each.remedy:
            yield f"           remedy: {inline(each.remedy)}"
    yield ""
    broken = sum(each.health is Health.BROKEN for each in findings)
    things = "thing" if broken == 1 else "things"
    need = "needs is" if broken == 1 else "needs are"
    yield (f"{broken} {things} that the configuration {need} broken" if broken else "Nothing that is needed is broken")

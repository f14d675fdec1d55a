"""What reports say of a verdict beyond its message: how sure it is, its parts, its waivers."""

from __future__ import annotations

from decimal import Decimal

from mlops_action.gates.exact import figures, text_of
from mlops_action.gates.groups import GROUP_RULES
from mlops_action.records import Evidence, Part, Verdict, Waiver, WaiverUse
from mlops_action.vocabulary import Outcome

NOTES = 20
"""Notes that are told beside a verdict."""
PARTS = 5
"""Parts that are told in a line; tables hold more."""


def details(verdict: Verdict, *, parts: bool = True) -> list[str]:
    """Further lines about a verdict, each a sentence; parts are left out where a table holds them."""
    lines = [waived_text(use) for use in verdict.waivers]
    lines += [power_text(verdict.evidence)] if verdict.evidence is not None else []
    bad = [part for part in verdict.parts if part.outcome is not Outcome.PASS and part.counted] if parts else []
    more = [part for part in bad if part.message not in verdict.message]
    lines += [f"{part.name or 'all rows'}: {part.outcome}: {part.message}" for part in more[:PARTS]]
    lines += [f"and {len(more) - PARTS} more of {len(verdict.parts)}"] if len(more) > PARTS else []
    lines += verdict.notes[:NOTES]
    return [*lines, *([f"and {len(verdict.notes) - NOTES} more"] if len(verdict.notes) > NOTES else [])]


def power_text(evidence: Evidence) -> str:
    """How the interval was made, and the smallest distance to the limit that such rows would show."""
    seen = "no distance" if evidence.detectable is None else f"a distance of {_short(evidence.detectable)}"
    return f"{evidence.method}; rows like these show {seen} with 80% power"


def waived_text(use: WaiverUse) -> str:
    """Who allowed what until when and why, and what a reviewer should look at."""
    waiver = use.waiver
    only = f" for {waiver.slice}" if waiver.slice else ""
    said = f"waived{only} by {waiver.approver} until {waiver.expires}, {bounds_text(waiver)}: {waiver.reason}"
    return f"{said} ({'; '.join(use.flags)})" if use.flags else said


def bounds_text(waiver: Waiver) -> str:
    """``down to 0.83``, ``up to 0.4``, or both."""
    sides = (("down to", waiver.down_to), ("up to", waiver.up_to))
    return " and ".join(f"{words} {text_of(bound)}" for words, bound in sides if bound is not None)


def evidence_text(evidence: Evidence) -> str:
    """The interval, the rows behind it, the test, and what such rows would show."""
    parts = [f"{evidence.quantity}: {interval_text(evidence)}", f"{evidence.rows} rows"]
    if evidence.p_value is not None:
        parts += [f"p {_short(evidence.p_value)}"]
    if evidence.adjusted is not None:
        parts[-1] += f" ({_short(evidence.adjusted)} by {evidence.correction} over {evidence.family})"
    return "; ".join([*parts, power_text(evidence)])


def interval_text(evidence: Evidence) -> str:
    """``95% interval 0.88 to 0.92 (wilson)``."""
    low = "-∞" if evidence.low is None else _short(evidence.low)
    high = "∞" if evidence.high is None else _short(evidence.high)
    return f"{text_of(evidence.level * 100)}% interval {low} to {high} ({evidence.method})"


def part_cells(part: Part) -> tuple[str, ...]:
    """A part's name, values, interval and rows, as plain texts."""
    shown = part.evidence
    return (
        part.name or "all rows",
        "" if part.value is None else _short(part.value),
        "" if part.baseline_value is None else _short(part.baseline_value),
        interval_text(shown) if shown is not None else "",
        str(shown.rows) if shown is not None else "",
        part.message,
    )


def part_head(rule: str) -> tuple[str, ...]:
    """Columns of a table of parts: the outcome, and ``part_cells``. A rule of groups compares one with another."""
    return ("", "Part", "Value", "Other group" if rule in GROUP_RULES else "Baseline", "Interval", "Rows", "Why")


WAIVER_HEAD = ("", "Gate", "Slice", "Bound", "Until", "Approver", "Reason", "Look at", "Where")
"""Columns of a table of waivers."""


def waiver_cells(use: WaiverUse) -> tuple[str, ...]:
    """What a table says of a waiver, as plain texts."""
    waiver = use.waiver
    return (
        str(use.state),
        waiver.gate,
        waiver.slice,
        bounds_text(waiver),
        waiver.expires,
        waiver.approver,
        waiver.reason,
        "; ".join(use.flags),
        waiver.origin,
    )


def _short(number: Decimal) -> str:
    """So many digits as people read; numbers that are not finite as they are."""
    return figures(number)[0] if number.is_finite() else str(number)

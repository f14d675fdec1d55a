"""Waivers: which of them hold today, which verdict they soften, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from mlops_action.config.spans import Span, inside, span_of
from mlops_action.errors import MlopsError
from mlops_action.frozen import frozen
from mlops_action.gates.exact import text_of
from mlops_action.gates.groups import GROUP_RULES, between
from mlops_action.gates.limits import number_limit, range_limit
from mlops_action.records import Part, PlannedGate, Verdict, Waiver, WaiverUse
from mlops_action.vocabulary import WAIVER, Outcome, Undecided, WaiverState

Written = tuple[str, tuple[str, ...]]
"""Who wrote a waiver, and what a reviewer should look at."""

_DOWN, _UP = "down-to", "up-to"
_FAILS_BELOW = {"min": _DOWN, "min-ratio": _DOWN, "max": _UP, "max-gap": _UP}
_WHEN_WORSE = {"max-drop", "min-gain", "ratchet"}
_REMEDIES = {
    WaiverState.EXPIRED: "remove it; who wants it to go on has to approve it again",
    WaiverState.UNBOUNDED: "bound it on the side where its gate fails, and let it end sooner",
    WaiverState.ORPHANED: "remove it, or correct its slice",
}


def _nobody(waiver: Waiver) -> Written:
    del waiver
    return "", ()


@frozen
class WaiverBook:
    """The waivers of a policy on one day.

    Args:
        waivers: all of them.
        today: the day, in UTC.
        longest: most days that one may still have to run.
        written: tells who wrote one.
    """

    waivers: tuple[Waiver, ...] = ()
    today: date = date.min
    longest: int = 0
    written: Callable[[Waiver], Written] = _nobody

    def waive(self, gate: PlannedGate, verdict: Verdict) -> Verdict:
        """The verdict; a warning when waivers that hold cover everything that failed."""
        known = [each for each in self.waivers if each.gate == gate.name and not self._ended(each)]
        failed = [part for part in verdict.parts if part.counted and part.outcome is not Outcome.PASS]
        if not verdict.parts:
            used = _covering(known, gate, verdict.slice, verdict.value) if _may_be_waived(verdict) else None
            return replace(verdict, outcome=Outcome.WARN, waivers=self._used([used])) if used else verdict
        covers = [
            _covering(known, _rule_of(gate, part), part.name, _judged(gate, part))
            for part in failed
            if part.outcome is Outcome.FAIL and verdict.outcome is Outcome.FAIL
        ]
        if not covers or None in covers:
            return verdict
        waivers = self._used(covers)
        if len(covers) < len(failed):  # other parts could not be judged: that has never been waived
            return replace(verdict, outcome=Outcome.INCONCLUSIVE, undecided=str(Undecided.BROKEN), waivers=waivers)
        return replace(verdict, outcome=Outcome.WARN, waivers=waivers)

    def uses(self, gates: Sequence[PlannedGate], verdicts: Sequence[Verdict]) -> tuple[WaiverUse, ...]:
        """What became of each waiver."""
        judged = {gate.name: (gate, verdict) for gate, verdict in zip(gates, verdicts, strict=True)}
        states = ((each, self._state(each, *judged.get(each.gate, (None, None)))) for each in self.waivers)
        return tuple(WaiverUse(waiver, state, *self.written(waiver)) for waiver, state in states)

    def ended_verdicts(self) -> tuple[Verdict, ...]:
        """What is wrong with the waivers already, before anything is measured."""
        gone = (each for each in self.waivers if self._ended(each))
        return waiver_verdicts([WaiverUse(each, self._state(each, None, None)) for each in gone])

    def _used(self, waivers: Sequence[Waiver | None]) -> tuple[WaiverUse, ...]:
        each_once = dict.fromkeys(each for each in waivers if each is not None)
        return tuple(WaiverUse(each, WaiverState.USED, *self.written(each)) for each in each_once)

    def _state(self, waiver: Waiver, gate: PlannedGate | None, verdict: Verdict | None) -> WaiverState:
        if self._ended(waiver):
            return WaiverState.EXPIRED if waiver.expires < self.today.isoformat() else WaiverState.UNBOUNDED
        if gate is None or verdict is None:
            return WaiverState.ORPHANED
        slices = {part.name for part in verdict.parts} or {verdict.slice}
        if waiver.slice and waiver.slice not in slices:
            return WaiverState.ORPHANED
        if waiver in [use.waiver for use in verdict.waivers]:
            return WaiverState.USED
        bounded = gate.combined or _sides(gate, verdict.value) <= _bounds(waiver, gate, verdict.value)
        return WaiverState.UNUSED if bounded else WaiverState.UNBOUNDED

    def _ended(self, waiver: Waiver) -> bool:
        """Whether it holds no more, or would hold for too long."""
        last = self.today + timedelta(days=self.longest)
        return not self.today.isoformat() <= waiver.expires <= last.isoformat()


NO_WAIVERS = WaiverBook()


def _may_be_waived(verdict: Verdict) -> bool:
    """A value that is not good enough, or not surely so; never something that could not be measured."""
    if verdict.rule in GROUP_RULES:  # which are told by their parts
        return False
    unsure = verdict.outcome is Outcome.INCONCLUSIVE and verdict.undecided == Undecided.INCONCLUSIVE
    return unsure or (verdict.outcome is Outcome.FAIL and not verdict.undecided)


def _rule_of(gate: PlannedGate, part: Part) -> PlannedGate:
    """The one rule of a combination that a part is of; the gate itself where there is no such one."""
    found = [each for each in gate.combined if part.name in {each.metric, f"{each.metric}[{each.slice}]"}]
    return found[0] if len(found) == 1 else gate


def _judged(gate: PlannedGate, part: Part) -> Decimal | None:
    """The number that the gate's limit is about: between two groups it is no value of either."""
    return between(gate.rule, part.value, part.baseline_value) if gate.rule in GROUP_RULES else part.value


def _covering(waivers: Sequence[Waiver], gate: PlannedGate, part: str, value: Decimal | None) -> Waiver | None:
    """The waiver that allows this value of this slice."""
    if value is None or not value.is_finite():
        return None
    for each in waivers:
        above = each.down_to is None or value >= each.down_to
        below = each.up_to is None or value <= each.up_to
        if each.slice in {"", part} and above and below and _sides(gate, value) <= _bounds(each, gate, value):
            return each
    return None


def _bounds(waiver: Waiver, gate: PlannedGate, value: Decimal | None) -> set[str]:
    """The sides on which a waiver bounds anything: an end of what the metric can be is no bound."""
    span = _span(gate)
    usual = span is not None and (value is None or not value.is_finite() or inside(value, span))
    low, high = span if span is not None and usual else (None, None)
    down = waiver.down_to is not None and (low is None or waiver.down_to > low)
    up = waiver.up_to is not None and (high is None or waiver.up_to < high)
    return {side for side, bounded in ((_DOWN, down), (_UP, up)) if bounded}


def _span(gate: PlannedGate) -> Span | None:
    """What the number that the gate's limit is about can be."""
    shares = (Decimal(0), Decimal(1))
    if gate.rule == "min-ratio" or (gate.rule == "max-gap" and span_of(gate.metric) == shares):
        return shares
    return None if gate.expression or gate.rule == "max-gap" else span_of(gate.metric)


def _sides(gate: PlannedGate, value: Decimal | None) -> set[str]:
    """The bounds that a waiver of the gate needs: where it fails; both where that is not known."""
    if gate.rule in _FAILS_BELOW:
        return {_FAILS_BELOW[gate.rule]}
    if gate.rule in {*_WHEN_WORSE, "max-gain"} and gate.direction in {"higher", "lower"}:
        return {_DOWN if (gate.direction == "higher") == (gate.rule in _WHEN_WORSE) else _UP}
    if gate.rule in {"range", "equals"} and value is not None:
        try:
            low, high = range_limit(gate) if gate.rule == "range" else (number_limit(gate),) * 2
        except MlopsError:
            return {_DOWN, _UP}
        return ({_DOWN} if value < low else set()) | ({_UP} if value > high else set())
    return {_DOWN, _UP}


def allowed_text(waiver: Waiver) -> str:
    """The bounds of a waiver, in words."""
    bounds = ((_DOWN, waiver.down_to), (_UP, waiver.up_to))
    return "bounded by " + " and ".join(f"`{key}: {text_of(bound)}`" for key, bound in bounds if bound is not None)


def waiver_verdicts(uses: Sequence[WaiverUse]) -> tuple[Verdict, ...]:
    """A failing verdict for each waiver that does not hold."""
    return tuple(_verdict(use) for use in uses if use.state in _REMEDIES)


def _verdict(use: WaiverUse) -> Verdict:
    waiver = use.waiver
    messages = {
        WaiverState.EXPIRED: f"the waiver by {waiver.approver} ended on {waiver.expires}",
        WaiverState.UNBOUNDED: f"the waiver by {waiver.approver} does not hold: it ends on {waiver.expires}, "
        f"{allowed_text(waiver)}",
        WaiverState.ORPHANED: f"the waiver by {waiver.approver} is for the slice `{waiver.slice}`, "
        "which the gate does not judge",
    }
    return Verdict(
        gate=f"waiver of {waiver.gate}{f' for {waiver.slice}' if waiver.slice else ''}",
        outcome=Outcome.FAIL,
        metric="",
        message=messages[use.state],
        rule=WAIVER,
        severity="block",
        origin=waiver.origin,
        hint=_REMEDIES[use.state],
    )

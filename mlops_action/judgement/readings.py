"""One gate on readings to its verdict, whether it judges one value, all that match a pattern, or combines rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from mlops_action.config.rules import is_pattern
from mlops_action.errors import BaselineMissing, MlopsError, nearest
from mlops_action.gates import COMBINATIONS, HISTORY_RULES, RULES
from mlops_action.gates.combination import decide
from mlops_action.gates.interface import Judgement, Rule
from mlops_action.gates.ratios import judge_exactly
from mlops_action.judgement.chosen import Chosen, Gap, choose, matching
from mlops_action.judgement.history import judge_by_history
from mlops_action.judgement.verdict_policy import hardest
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import MetricReading, Part, PlannedGate, Verdict
from mlops_action.registry import load_from
from mlops_action.vocabulary import Outcome, Undecided

MOST_PARTS = 1000
_WORST_FIRST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
_JUDGED = {Outcome.PASS: True, Outcome.FAIL: False, Outcome.INCONCLUSIVE: None}
_OUTCOMES = {judged: outcome for outcome, judged in _JUDGED.items()}


def judge_readings(gate: PlannedGate, readings: Sequence[MetricReading], baselines: Baselines) -> Verdict:
    """The verdict of a gate, before its ``on-…`` keys and its severity are looked at."""
    if gate.rule not in COMBINATIONS:
        judged = _judge_all(gate, readings, baselines)
        if isinstance(judged, Gap):
            return _undecided(_blank(gate), judged)
        return (
            judged[0] if len(judged) == 1 and judged[0].metric == gate.metric else _together(gate, judged, len(judged))
        )
    verdicts: list[Verdict] = []
    for part in gate.combined:
        several = _judge_all(part, readings, baselines)
        verdicts += [_undecided(_blank(part), several)] if isinstance(several, Gap) else several
    needed = gate.limits.get(gate.rule) if isinstance(gate.limits, dict) else None
    if type(needed) is not int:
        return _undecided(_blank(gate), Gap(f"the plan does not say how many rules of `{gate.rule}` must pass"))
    if not verdicts:
        return _undecided(_blank(gate), Gap("it combines no rules"))
    return _together(gate, verdicts, len(verdicts) if gate.rule == "all" else needed)


def _judge_all(gate: PlannedGate, readings: Sequence[MetricReading], baselines: Baselines) -> list[Verdict] | Gap:
    """A verdict for each value that the gate means, which is one without a pattern."""
    if gate.rule not in RULES and gate.rule not in HISTORY_RULES:
        return Gap(f"there is no rule `{gate.rule}`", nearest(gate.rule, (*RULES, *HISTORY_RULES, *COMBINATIONS)))
    operands = matching(gate, readings)
    if operands is None:
        return [_judge_one(gate, readings, baselines)]
    shown = f"`{gate.metric}`" + (f" on `{gate.slice}`" if gate.slice else "")
    if not operands:
        known = nearest(gate.metric, tuple(dict.fromkeys(each.name for each in readings)))
        return Gap(f"no metric matches {shown}", known[:300], kind=Undecided.MISSING)
    if len(operands) > MOST_PARTS:
        return Gap(f"{len(operands)} metrics match {shown}; at most {MOST_PARTS} are judged", "write a closer pattern")
    gates = [replace(gate, metric=operand.metric, slice=operand.slice) for operand in operands]
    return [*(_judge_one(each, readings, baselines) for each in gates), *_vanished(gate, gates, baselines)]


def _vanished(gate: PlannedGate, there: Sequence[PlannedGate], baselines: Baselines) -> list[Verdict]:
    """What the baseline has and the candidate has not: it must not go unjudged."""
    if not gate.baseline:
        return []
    try:
        before, identity = baselines.read(gate.baseline)
    except MlopsError:
        return []  # each verdict says so
    now = {(each.metric, each.slice) for each in there}
    gone = [each for each in matching(gate, before) or () if (each.metric, each.slice) not in now]
    return [
        _undecided(
            _blank(replace(gate, metric=each.metric, slice=each.slice)),
            Gap(
                f"the baseline {identity.locator} has `{each.metric}`{f' on `{each.slice}`' if each.slice else ''}, "
                "and the candidate has not",
                "measure it again, or narrow the pattern",
                kind=Undecided.MISSING,
            ),
        )
        for each in gone[:MOST_PARTS]
    ]


def _together(gate: PlannedGate, verdicts: Sequence[Verdict], needed: int) -> Verdict:
    """One verdict of several; it shows the figures of the worst, and all of them as parts."""
    outcome = _OUTCOMES[decide([_JUDGED[each.outcome] for each in verdicts], needed)]
    order = sorted(verdicts, key=lambda each: (_WORST_FIRST.index(each.outcome), each.outcome is not outcome))
    # The part that explains the verdict: the first that decided it, not one that another one made up for.
    shown = next((each for each in order if each.outcome is outcome), order[0])
    passed = sum(each.outcome is Outcome.PASS for each in verdicts)
    asked = "all" if needed == len(verdicts) else f"at least {needed}"
    said = f"{passed} of {len(verdicts)} passed, {asked} must"
    doubts = [str(each.undecided) for each in verdicts if each.undecided]
    return replace(
        shown,
        metric=gate.metric or shown.metric,
        rule=gate.rule,
        slice=gate.slice,
        severity=gate.severity,
        outcome=outcome,
        message=f"{said}: {'; '.join(each.message for each in order[:3])}" + (" …" if len(order) > 3 else ""),
        limit=shown.limit if gate.rule not in COMBINATIONS else f"{asked} of {len(verdicts)} rules",
        undecided=hardest(gate, doubts) if outcome is Outcome.INCONCLUSIVE else "",
        parts=tuple(_part(each, alike=gate.rule not in COMBINATIONS and not is_pattern(gate.metric)) for each in order),
    )


def _part(verdict: Verdict, *, alike: bool) -> Part:
    """A part; those of one metric are told by their slices alone."""
    name = f"{verdict.metric}[{verdict.slice}]" if verdict.slice else verdict.metric
    name = verdict.slice if alike else name
    return Part(name, verdict.outcome, verdict.message, verdict.value, verdict.baseline_value, verdict.reading_origin)


def _blank(gate: PlannedGate) -> Verdict:
    return Verdict(
        gate.name, Outcome.INCONCLUSIVE, gate.metric, "", gate.rule, gate.severity, gate.origin, slice=gate.slice
    )


def _undecided(verdict: Verdict, gap: Gap) -> Verdict:
    known = replace(verdict, message=gap.message, hint=gap.hint, undecided=str(gap.kind))
    return replace(known, value=gap.reading.value, reading_origin=gap.reading.origin) if gap.reading else known


def _judge_one(gate: PlannedGate, readings: Sequence[MetricReading], baselines: Baselines) -> Verdict:
    candidate = choose(gate, readings, "")
    if isinstance(candidate, Gap):
        return _undecided(_blank(gate), candidate)
    verdict = replace(_blank(gate), value=candidate.value, reading_origin=", ".join(candidate.origins))
    try:
        return _apply(gate, candidate, verdict, baselines)
    except MlopsError as problem:
        kind = Undecided.MISSING if isinstance(problem, BaselineMissing) else Undecided.BROKEN
        return _undecided(verdict, Gap(problem.message, problem.hint, kind=kind))


def _apply(gate: PlannedGate, candidate: Chosen, verdict: Verdict, baselines: Baselines) -> Verdict:
    """Judge a gate whose candidate's value is known.

    Raises:
        BaselineUnavailable: the rule needs a baseline that cannot be had.
        BadDocument: the plan does not hold the rule's limits.
    """
    if gate.rule in HISTORY_RULES:
        verdict, judged = judge_by_history(gate, candidate.value, verdict, baselines)
        return _with_judgement(verdict, judged)
    rule: Rule = load_from(RULES, gate.rule)()
    before: Chosen | None = None
    if rule.needs_baseline:
        for origin in candidate.origins:
            baselines.refuse_itself(gate.baseline, origin)
        readings, identity = baselines.read(gate.baseline)
        verdict = replace(verdict, baseline=identity)
        found = choose(gate, readings, f"the baseline {identity.locator}: ")
        if isinstance(found, Gap):
            return _undecided(verdict, replace(found, reading=None))
        before, verdict = found, replace(verdict, baseline_value=found.value)
    return _with_judgement(verdict, _judged(rule, gate, candidate, before))


def _with_judgement(verdict: Verdict, judged: Judgement) -> Verdict:
    return replace(
        verdict,
        outcome=_OUTCOMES[judged.passed],
        message=judged.message,
        limit=judged.limit,
        needed=judged.needed,
        undecided=str(judged.undecided) if judged.passed is None else "",
    )


def _judged(rule: Rule, gate: PlannedGate, candidate: Chosen, before: Chosen | None) -> Judgement:
    if candidate.ratio is None:
        return rule.judge(gate, candidate.value, before.value if before else None)
    baseline = None
    if before is not None:
        baseline = before.ratio if before.ratio is not None else Fraction(before.value)
    try:
        return judge_exactly(rule, gate, candidate.ratio, baseline)
    except ArithmeticError:
        return Judgement(None, f"{gate.metric} has too many digits to tell", "")

"""Readings and gates to verdicts. What cannot be judged is inconclusive, never a pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlops_action import __version__
from mlops_action.errors import BaselineMissing, MlopsError, nearest
from mlops_action.gates import RULES
from mlops_action.gates.interface import Rule
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import MetricReading, PlannedGate, RunResult, Verdict, Verdicts
from mlops_action.registry import load_from
from mlops_action.verdict_policy import overall, settle
from mlops_action.vocabulary import VERDICTS_SCHEMA, Outcome, StepStatus, Undecided
from mlops_action.waivers import NO_WAIVERS, WaiverBook, waiver_verdicts


@dataclass(frozen=True)
class _Gap:
    """Why there is no number to judge, and what to do about it."""

    message: str
    hint: str = ""
    reading: MetricReading | None = None
    kind: Undecided = Undecided.BROKEN


def evaluate(
    gates: Sequence[PlannedGate],
    readings: Sequence[MetricReading],
    baselines: Baselines,
    book: WaiverBook = NO_WAIVERS,
) -> Verdicts:
    """Judge every gate, and let those fail that a waiver covers.

    Nothing is raised for bad data: a metric that is missing, ambiguous or no finite
    number, a baseline that cannot be had, and a comparison that is undefined are
    inconclusive, and so is a run without gates.
    """
    on_rows = _on_predictions([gate for gate in gates if gate.predictions is not None], baselines)
    judged = [on_rows[gate.name] if gate.predictions else _judge(gate, readings, baselines) for gate in gates]
    verdicts = tuple(settle(gate, verdict, book) for gate, verdict in zip(gates, judged, strict=True))
    uses = book.uses(gates, verdicts)
    verdicts += waiver_verdicts(uses)
    outcome, reason = overall(verdicts)
    return Verdicts(VERDICTS_SCHEMA, __version__, outcome, reason, verdicts, uses)


def _on_predictions(gates: Sequence[PlannedGate], baselines: Baselines) -> dict[str, Verdict]:
    if not gates:
        return {}
    from mlops_action.prediction_gates.judge import judge_predictions  # numpy only where rows are judged

    return judge_predictions(gates, baselines)


def evaluate_run(
    gates: Sequence[PlannedGate], run: RunResult, baselines: Baselines, book: WaiverBook = NO_WAIVERS
) -> Verdicts:
    """Judge every gate on what a run measured; a run with a failed step never passes."""
    verdicts = evaluate(gates, [reading for step in run.steps for reading in step.readings], baselines, book)
    failed = [step.name for step in run.steps if step.status is not StepStatus.OK]
    if not failed or verdicts.outcome in {Outcome.FAIL, Outcome.INCONCLUSIVE}:
        return verdicts
    names = ", ".join(f"`{name}`" for name in failed)
    return replace(verdicts, outcome=Outcome.INCONCLUSIVE, reason=f"{verdicts.reason} But {names} did not run well.")


def _judge(gate: PlannedGate, readings: Sequence[MetricReading], baselines: Baselines) -> Verdict:
    blank = Verdict(
        gate.name, Outcome.INCONCLUSIVE, gate.metric, "", gate.rule, gate.severity, gate.origin, slice=gate.slice
    )
    if gate.rule not in RULES:
        return _undecided(blank, _Gap(f"there is no rule `{gate.rule}`", nearest(gate.rule, tuple(RULES))))
    candidate = _select(gate, readings, "")
    if isinstance(candidate, _Gap):
        return _undecided(blank, candidate)
    verdict = replace(blank, value=candidate.value, reading_origin=candidate.origin)
    try:
        return _apply(gate, verdict, baselines)
    except MlopsError as problem:
        kind = Undecided.MISSING if isinstance(problem, BaselineMissing) else Undecided.BROKEN
        return _undecided(verdict, _Gap(problem.message, problem.hint, kind=kind))


def _undecided(verdict: Verdict, gap: _Gap) -> Verdict:
    known = replace(verdict, message=gap.message, hint=gap.hint, undecided=str(gap.kind))
    return replace(known, value=gap.reading.value, reading_origin=gap.reading.origin) if gap.reading else known


def _apply(gate: PlannedGate, verdict: Verdict, baselines: Baselines) -> Verdict:
    """Judge a gate whose candidate's value is known.

    Raises:
        BaselineUnavailable: the rule needs a baseline that cannot be had.
        BadDocument: the plan does not hold the rule's limits.
    """
    rule: Rule = load_from(RULES, gate.rule)()
    if rule.needs_baseline:
        verdict = _with_baseline(gate, verdict, baselines)
    value, baseline = verdict.value, verdict.baseline_value
    if value is None or verdict.message:
        return verdict
    judged = rule.judge(gate, value, baseline)
    outcome = {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.INCONCLUSIVE}[judged.passed]
    known = replace(verdict, outcome=outcome, message=judged.message, limit=judged.limit)
    if judged.passed:
        return known
    return replace(known, needed=judged.needed, undecided=str(judged.undecided) if judged.passed is None else "")


def _with_baseline(gate: PlannedGate, verdict: Verdict, baselines: Baselines) -> Verdict:
    """Add the baseline's value, or the message why there is none."""
    baselines.refuse_itself(gate.baseline, verdict.reading_origin)
    readings, identity = baselines.read(gate.baseline)
    known = replace(verdict, baseline=identity)
    before = _select(gate, readings, f"the baseline {identity.locator}: ")
    if isinstance(before, _Gap):
        return replace(known, message=before.message, hint=before.hint, undecided=str(before.kind))
    return replace(known, baseline_value=before.value)


def _select(gate: PlannedGate, readings: Sequence[MetricReading], where: str) -> MetricReading | _Gap:
    """The one finite reading of the gate's metric and slice, or why there is none."""
    named = [reading for reading in readings if reading.name == gate.metric]
    found = [reading for reading in named if reading.slice == gate.slice]
    if not found:
        return _missing(gate, readings, named, where)
    if len(found) > 1:
        places = ", ".join(f"{each.origin} (step {each.step})" if each.step else each.origin for each in found[:5])
        return _Gap(
            f"{where}`{gate.metric}` was read {len(found)} times, from {places}",
            "give the metrics different names, or write each in one place only",
        )
    reading, undefined = found[0], Undecided.UNDEFINED
    if reading.value is None:
        return _Gap(
            f"{where}`{gate.metric}` has no number at {reading.origin}", "write a number there", reading, undefined
        )
    if not reading.value.is_finite():
        return _Gap(
            f"{where}`{gate.metric}` is {reading.value} at {reading.origin}, which is neither good nor bad",
            "find out why it could not be computed",
            reading,
            undefined,
        )
    return reading


def _missing(gate: PlannedGate, readings: Sequence[MetricReading], named: Sequence[MetricReading], where: str) -> _Gap:
    lost = Undecided.MISSING
    if not readings:
        hint = "let a step write a metric file and name it under `metrics`"
        return _Gap(f"{where}`{gate.metric}` is missing: no metric was read at all", hint, kind=lost)
    if not named:
        known = nearest(gate.metric, tuple(dict.fromkeys(reading.name for reading in readings)))
        return _Gap(
            f"{where}there is no metric `{gate.metric}`", known if len(known) < 300 else f"{known[:300]}…", kind=lost
        )
    slices = tuple(reading.slice for reading in named if reading.slice)
    if not gate.slice:
        hint = f"add `slice: {slices[0]}` or another one to the gate"
        return _Gap(f"{where}`{gate.metric}` was measured on slices only", hint, kind=lost)
    hint = nearest(gate.slice, slices)
    return _Gap(f"{where}`{gate.metric}` was not measured on the slice `{gate.slice}`", hint, kind=lost)

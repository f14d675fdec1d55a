"""Readings and gates to verdicts. What cannot be judged is inconclusive, never a pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlops_action import __version__
from mlops_action.imports import numpy_for_gates
from mlops_action.judgement.readings import judge_readings
from mlops_action.judgement.verdict_policy import overall, settle
from mlops_action.judgement.waivers import NO_WAIVERS, WaiverBook, waiver_verdicts
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import MetricReading, PlannedGate, RunResult, Verdict, Verdicts
from mlops_action.vocabulary import VERDICTS_SCHEMA, Outcome, StepStatus


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
    judged = [on_rows[gate.name] if gate.predictions else judge_readings(gate, readings, baselines) for gate in gates]
    verdicts = tuple(settle(gate, verdict, book) for gate, verdict in zip(gates, judged, strict=True))
    uses = book.uses(gates, verdicts)
    verdicts += waiver_verdicts(uses)
    outcome, reason = overall(verdicts)
    return Verdicts(VERDICTS_SCHEMA, __version__, outcome, reason, verdicts, uses)


def _on_predictions(gates: Sequence[PlannedGate], baselines: Baselines) -> dict[str, Verdict]:
    if not gates:
        return {}
    numpy_for_gates()
    from mlops_action.judgement.predictions.judge import judge_predictions  # numpy only where rows are judged

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

"""One gate on a value and those of earlier runs to its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from mlops_action.errors import BaselineUnavailable
from mlops_action.gates import HISTORY_RULES
from mlops_action.gates.interface import HistoryRule, Judgement
from mlops_action.judgement.chosen import Chosen, Gap, choose
from mlops_action.metrics.baseline import Baselines
from mlops_action.metrics.history import PastRun
from mlops_action.records import PlannedGate, Verdict
from mlops_action.registry import load_from
from mlops_action.vocabulary import Undecided


def judge_by_history(
    gate: PlannedGate, value: Decimal, verdict: Verdict, baselines: Baselines
) -> tuple[Verdict, Judgement]:
    """What the gate's rule says of a value, and the verdict with the history's identity.

    Raises:
        BaselineUnavailable: the history cannot be read.
        BadDocument: the plan does not hold the rule's limits.
    """
    runs, identity = baselines.history(gate.history)
    recent = _recent(gate, runs, baselines)
    found = [(run, choose(gate, run.readings, "an earlier run: ")) for run in recent]
    past = [each.value for _, each in found if isinstance(each, Chosen)]
    spoilt = sum(isinstance(each, Gap) and each.kind is not Undecided.MISSING for _, each in found)
    rule: HistoryRule = load_from(HISTORY_RULES, gate.rule)()
    notes = [f"{spoilt} of {len(found)} earlier runs have no usable value and are left out"] if spoilt else []
    known = replace(verdict, baseline=identity, notes=(*verdict.notes, *notes))
    judged = rule.judge(gate, value, past)
    return replace(known, baseline_value=rule.reference(gate, past)), judged


def _recent(gate: PlannedGate, runs: Sequence[PastRun], baselines: Baselines) -> Sequence[PastRun]:
    """The runs within the gate's window; a run without a time is in none.

    Raises:
        BaselineUnavailable: there is a window, and nobody knows what time it is.
    """
    limits = gate.limits.get(gate.rule) if isinstance(gate.limits, dict) else None
    window = limits.get("window") if isinstance(limits, dict) else None
    if type(window) is not int or window <= 0:
        return runs
    if baselines.now is None:
        raise BaselineUnavailable("the window of a history needs a clock, and there is none", origin=gate.origin)
    now, longest = baselines.now, timedelta(seconds=min(window, 10**9))
    ages = [(run, run.age(now)) for run in runs]
    return [run for run, age in ages if age is not None and age <= longest]

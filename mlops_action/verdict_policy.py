"""What a gate's verdict means for the merge: severity, what stands in for no verdict, and the worst of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from mlops_action.records import PlannedGate, Verdict
from mlops_action.vocabulary import Outcome, Undecided

_WORST_FIRST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)
_WORDS = {
    Outcome.FAIL: "failed",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.WARN: "warned",
    Outcome.INFO: "for information only",
    Outcome.PASS: "passed",
}
_SOFTER = {"fail": Outcome.FAIL, "warn": Outcome.WARN}


def settle(gate: PlannedGate, verdict: Verdict) -> Verdict:
    """Apply the gate's ``on-…`` keys, then its severity; the message still says what happened."""
    if verdict.outcome is Outcome.INCONCLUSIVE:
        kind = verdict.undecided or str(Undecided.BROKEN)
        verdict = replace(verdict, outcome=_instead(gate, kind), undecided=kind)
    return with_severity(verdict)


def with_severity(verdict: Verdict) -> Verdict:
    """A gate of severity ``warn`` only warns, and one of severity ``info`` only informs."""
    if verdict.outcome is Outcome.PASS:
        return verdict
    if verdict.severity == "info":
        return replace(verdict, outcome=Outcome.INFO)
    return replace(verdict, outcome=Outcome.WARN) if verdict.severity == "warn" else verdict


def _instead(gate: PlannedGate, undecided: str) -> Outcome:
    """What the policy wants said; what is broken, or not one of ours, always blocks."""
    chosen = {
        Undecided.MISSING: gate.on_missing,
        Undecided.UNDEFINED: gate.on_undefined,
        Undecided.INCONCLUSIVE: gate.on_inconclusive,
    }
    wanted = next((word for kind, word in chosen.items() if kind == undecided), "")
    return _SOFTER.get(wanted, Outcome.INCONCLUSIVE)


def overall(verdicts: Sequence[Verdict]) -> tuple[Outcome, str]:
    """The verdict of all gates, and why in one sentence.

    It is the worst one. Without any gate that passed, failed or warned on what was
    measured, it is inconclusive: softened gates must not turn nothing into green.
    """
    found = Counter(each.outcome for each in verdicts)
    if not verdicts:
        return Outcome.INCONCLUSIVE, "There was no gate to evaluate."
    worst = next((each for each in _WORST_FIRST if found[each]), Outcome.INCONCLUSIVE)
    said = reason(verdicts)
    if worst in {Outcome.PASS, Outcome.WARN} and all(each.undecided for each in verdicts):
        return Outcome.INCONCLUSIVE, f"{said} But none of them could be evaluated."
    if worst is Outcome.INCONCLUSIVE and not found[Outcome.INCONCLUSIVE]:
        return worst, f"{said} But none of them could block."
    return worst, said


def reason(verdicts: Sequence[Verdict]) -> str:
    """How many gates said what: ``3 gates: 1 failed, 2 passed``."""
    found = Counter(_WORDS[each.outcome] for each in verdicts)
    parts = [f"{found[word]} {word}" for word in _WORDS.values() if found[word]]
    return f"{len(verdicts)} gate{'s' if len(verdicts) > 1 else ''}: {', '.join(parts)}."

"""What a gate's verdict means for the merge: severity, what stands in for no verdict, and the worst of all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from mlops_action.judgement.waivers import WaiverBook
from mlops_action.records import PlannedGate, Verdict
from mlops_action.vocabulary import POLICY_GUARD, WAIVER, Outcome, Undecided

_WORST_FIRST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)
_WORDS = {
    Outcome.FAIL: "failed",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.WARN: "warned",
    Outcome.INFO: "for information only",
    Outcome.PASS: "passed",
}
_ORDER = ("failed", "inconclusive", "warned", "waived", "for information only", "passed")
_ABOUT_THE_POLICY = {WAIVER, POLICY_GUARD}
_HARDEST_FIRST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN)
_SOFTER = {"fail": Outcome.FAIL, "warn": Outcome.WARN}


def settle(gate: PlannedGate, verdict: Verdict, book: WaiverBook) -> Verdict:
    """Apply waivers, the gate's ``on-…`` keys and its severity; the message still says what happened."""
    verdict = book.waive(gate, verdict)
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


def hardest(gate: PlannedGate, kinds: Collection[str]) -> str:
    """Of several reasons the one that the policy takes hardest, so that none is softened by another's key."""
    ours = [kind for kind in kinds if kind in {str(each) for each in Undecided}]
    return min(ours, key=lambda kind: _HARDEST_FIRST.index(_instead(gate, kind)), default=str(Undecided.BROKEN))


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
    """The verdict of all, and why in one sentence.

    It is the worst one. Without any gate that passed, failed or warned on what was
    measured, it is inconclusive: softened gates must not turn nothing into green.
    """
    gates = [each for each in verdicts if each.rule not in _ABOUT_THE_POLICY]
    if not gates:
        return Outcome.INCONCLUSIVE, "There was no gate to evaluate."
    heeded = [each for each in verdicts if each.severity != "info"]
    found = {each.outcome for each in heeded}
    worst = next((each for each in _WORST_FIRST if each in found), Outcome.INCONCLUSIVE)
    said = reason(verdicts)
    judging = [each for each in gates if each.severity != "info"]
    if not judging:
        return worst if worst is Outcome.FAIL else Outcome.INCONCLUSIVE, f"{said} But none of them could block."
    if worst in {Outcome.PASS, Outcome.WARN} and all(each.undecided for each in judging):
        return Outcome.INCONCLUSIVE, f"{said} But none of them could be evaluated."
    return worst, said


def reason(verdicts: Sequence[Verdict]) -> str:
    """How many gates said what: ``3 gates: 1 failed, 2 passed``."""
    gates = [each for each in verdicts if each.rule not in _ABOUT_THE_POLICY]
    words = ["waived" if each.waivers and each.outcome is Outcome.WARN else _WORDS[each.outcome] for each in gates]
    parts = [f"{words.count(word)} {word}" for word in _ORDER if word in words]
    said = f"{len(gates)} gate{'s' if len(gates) > 1 else ''}: {', '.join(parts)}."
    lost = sum(each.rule == WAIVER for each in verdicts)
    said += f" {lost} waiver{'s do' if lost > 1 else ' does'} not hold." if lost else ""
    guard = next((each for each in verdicts if each.rule == POLICY_GUARD and each.outcome is not Outcome.PASS), None)
    return f"{said} {guard.message[:1].upper()}{guard.message[1:]}." if guard is not None else said

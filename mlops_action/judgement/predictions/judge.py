"""Gates on predictions to verdicts. Tests of all gates are one family, so all gates are judged together."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_action.errors import BaselineMissing, MlopsError
from mlops_action.frozen import frozen
from mlops_action.judgement.predictions.bounds import CHANGES, GROUPS, KNOWN
from mlops_action.judgement.predictions.decide import Said, corrected, say, tried
from mlops_action.judgement.predictions.files import PredictionFiles
from mlops_action.judgement.predictions.quality import is_quality, quality_trial
from mlops_action.judgement.predictions.trials import Lack, Trial, changes, expected, groups, own_trials
from mlops_action.judgement.verdict_policy import hardest
from mlops_action.metrics.baseline import Baselines
from mlops_action.records import BaselineIdentity, Part, PlannedGate, Verdict
from mlops_action.vocabulary import Outcome, Undecided

_WORST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)


@frozen
class _Found:
    """The trials of one gate, and what else is known of its files."""

    gate: PlannedGate
    trials: tuple[Trial, ...]
    notes: tuple[str, ...] = ()
    digest: str = ""
    identity: BaselineIdentity | None = None


def judge_predictions(gates: Sequence[PlannedGate], baselines: Baselines) -> dict[str, Verdict]:
    """The verdicts of all gates on predictions, by name, before severity and ``on-…`` keys.

    Nothing is raised for bad files: what cannot be read or compared is inconclusive.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-action-") as folder:
        files = PredictionFiles(baselines, Path(folder))
        found = [_found(gate, files) for gate in gates]
        trials = [tried(each.gate, trial) for each in found for trial in each.trials]
        said = iter([say(each, correction) for each, correction in zip(trials, corrected(trials), strict=True)])
        return {each.gate.name: _verdict(each, [next(said) for _ in each.trials]) for each in found}


def _found(gate: PlannedGate, files: PredictionFiles) -> _Found:
    try:
        return _trials(gate, files)
    except MlopsError as problem:
        kind = Undecided.MISSING if isinstance(problem, BaselineMissing) else Undecided.BROKEN
        origin = problem.origin.removeprefix(f"{files.root}/")  # no folder of this machine
        message = f"{origin}: {problem.message}" if origin else problem.message
        return _Found(gate, (Trial(gate.slice, 0, lack=Lack(kind, message, problem.hint)),))


def _trials(gate: PlannedGate, files: PredictionFiles) -> _Found:
    """What the gate judges.

    Raises:
        MlopsError: a file cannot be had or judged; the message says why.
    """
    assert gate.predictions is not None  # noqa: S101 - it is a gate on predictions
    if gate.rule not in KNOWN:
        lack = Lack(
            Undecided.BROKEN, f"the rule `{gate.rule}` does not judge predictions", f"known: {', '.join(KNOWN)}"
        )
        return _Found(gate, (Trial("", 0, lack=lack),))
    if is_quality(gate.metric):
        return _Found(gate, (quality_trial(gate, files),))
    measured = files.measured(gate.predictions)
    lacking, notes = expected(gate, measured.slices)
    if gate.rule not in CHANGES:
        own = groups if gate.rule in GROUPS else own_trials
        return _Found(gate, (*own(gate, measured.slices), *lacking), tuple(notes), measured.digest)
    compared = files.compared(gate.predictions, gate.baseline)
    trials = (*changes(gate, compared, measured.slices), *lacking)
    return _Found(gate, trials, (*compared.notes, *notes), measured.digest, compared.identity)


def _verdict(found: _Found, said: Sequence[Said]) -> Verdict:
    gate = found.gate
    planned = gate.predictions
    blank = Verdict(
        gate.name,
        Outcome.INCONCLUSIVE,
        gate.metric,
        "",
        gate.rule,
        gate.severity,
        gate.origin,
        slice=gate.slice,
        baseline=found.identity,
        reading_origin=planned.file if planned else "",
        reading_digest=found.digest,
        notes=found.notes,
    )
    ordered = sorted(said, key=lambda each: (not each.tried.trial.counted, _WORST.index(each.outcome), each.slack))
    counted = [each for each in ordered if each.tried.trial.counted]
    if not counted:
        message = "there is no slice to judge" if not ordered else "no slice is large enough to be judged"
        return replace(blank, message=message, undecided=str(Undecided.INCONCLUSIVE), parts=_parts(ordered))
    verdict = _with(blank, counted[0])
    if not gate.slices and not gate.groups:
        return verdict
    undecided = (
        hardest(gate, [each.undecided for each in counted if each.undecided])
        if verdict.outcome is Outcome.INCONCLUSIVE
        else ""
    )
    return replace(verdict, message=_summary(counted, verdict), parts=_parts(ordered), undecided=undecided)


def _with(blank: Verdict, said: Said) -> Verdict:
    """The verdict of one trial."""
    trial, judged = said.tried.trial, said.tried.judged
    return replace(
        blank,
        outcome=said.outcome,
        message=said.message,
        value=trial.value,
        baseline_value=trial.other if trial.kind == "difference" else None,
        limit=judged.limit if judged else "",
        needed=judged.needed if judged else "",
        hint=said.hint,
        slice=trial.name,
        evidence=said.evidence,
        undecided=said.undecided,
    )


def _summary(counted: Sequence[Said], verdict: Verdict) -> str:
    """``2 of 21 slices failed; the worst is country=NO: …``."""
    kind = "pairs of groups" if counted[0].tried.gate.groups else "slices"
    alike = sum(each.outcome is verdict.outcome for each in counted)
    word = {Outcome.FAIL: "failed", Outcome.PASS: "passed"}.get(verdict.outcome, "cannot be told")
    return f"{alike} of {len(counted)} {kind} {word}; the worst is {verdict.slice or 'the whole'}: {verdict.message}"


def _parts(said: Sequence[Said]) -> tuple[Part, ...]:
    return tuple(_each_part(said))


def _each_part(said: Sequence[Said]) -> Iterator[Part]:
    for each in said:
        trial = each.tried.trial
        yield Part(
            trial.name,
            each.outcome,
            each.message,
            value=trial.value,
            baseline_value=trial.other,
            counted=trial.counted,
            evidence=each.evidence,
        )

"""From a trial to what the gate says of it: the value, the interval, and the tests of the whole family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from mlops_action.errors import MlopsError
from mlops_action.frozen import frozen
from mlops_action.gates import RULES
from mlops_action.gates.exact import figures, text_of
from mlops_action.gates.interface import Judgement
from mlops_action.judgement.predictions.bounds import GROUPS, Bounds, bounds_of, judge_groups
from mlops_action.judgement.predictions.trials import Lack, Trial, exact
from mlops_action.records import Evidence, PlannedGate
from mlops_action.registry import load_from
from mlops_action.statistics.multiplicity import benjamini_hochberg, holm
from mlops_action.statistics.results import At, Interval, Significance, tail
from mlops_action.statistics.seeds import SEED
from mlops_action.vocabulary import Outcome, Prove, Undecided


@frozen
class Tried:
    """A trial with the rule's word on its values, its bounds, and the test of "the limit is broken"."""

    gate: PlannedGate
    trial: Trial
    judged: Judgement | None = None
    bounds: Bounds | None = None
    test: Significance | None = None
    lack: Lack | None = None


@frozen
class Correction:
    """A test's place in its family."""

    adjusted: float = 1.0
    method: str = ""
    family: int = 0


@frozen
class Said:
    """What the gate says of one trial."""

    tried: Tried
    outcome: Outcome
    message: str
    evidence: Evidence | None = None
    undecided: str = ""
    hint: str = ""
    slack: float = math.inf


def tried(gate: PlannedGate, trial: Trial) -> Tried:
    """Ask the rule, and test whether its limit is broken where rows can prove something."""
    if trial.lack is not None or trial.value is None:
        return Tried(gate, trial, lack=trial.lack)
    try:
        judged, bounds = _judged(gate, trial, trial.value), bounds_of(gate, trial.other)
    except MlopsError as error:
        return Tried(gate, trial, lack=Lack(Undecided.BROKEN, error.message, error.hint))
    except ArithmeticError:
        return Tried(gate, trial, lack=Lack(Undecided.UNDEFINED, "the change has too many digits to tell"))
    if judged.passed is None or bounds is None:
        return Tried(gate, trial, judged, lack=Lack(Undecided.UNDEFINED, judged.message, judged.needed))
    test = None
    if gate.prove is not Prove.NONE and trial.quantity is not None and trial.quantity.at is not None:
        test = _broken(trial, bounds)
    return Tried(gate, trial, judged, bounds, test)


def _judged(gate: PlannedGate, trial: Trial, value: Decimal) -> Judgement:
    if gate.rule in GROUPS:
        return judge_groups(gate, value, trial.other if trial.other is not None else value)
    found: Judgement = load_from(RULES, gate.rule)().judge(gate, value, trial.other)
    return found


def _broken(trial: Trial, bounds: Bounds) -> Significance:
    """The test that a limit is broken; with two limits, twice the smaller p-value (Bonferroni)."""
    quantity = trial.quantity
    assert quantity is not None  # noqa: S101 - its caller has looked
    tests = []
    if math.isfinite(bounds.low):
        tests.append(quantity.below(bounds.low))
    if math.isfinite(bounds.high):
        tests.append(quantity.above(bounds.high))
    least = min(tests, key=lambda each: each.p_value)
    return Significance(min(1.0, len(tests) * least.p_value), least.statistic, least.method)


def corrected(trials: Sequence[Tried]) -> list[Correction]:
    """Correct every test for its family: Holm over the gates that block, Benjamini-Hochberg over the others."""
    found = [Correction(each.test.p_value if each.test else 1.0) for each in trials]
    for blocks, method, adjust in ((True, "holm", holm), (False, "benjamini-hochberg", benjamini_hochberg)):
        places = [i for i, each in enumerate(trials) if _adjusted(each) and (each.gate.severity == "block") is blocks]
        p_values = [test.p_value for i in places if (test := trials[i].test) is not None]
        for place, adjusted in zip(places, adjust(p_values), strict=True):
            found[place] = Correction(adjusted, method, len(places))
    return found


def _adjusted(it: Tried) -> bool:
    """Whether a false alarm could block: not where the gate blocks anyway as long as it does not pass."""
    return it.test is not None and (it.gate.prove is Prove.FAIL or it.gate.on_inconclusive == "warn")


def say(it: Tried, correction: Correction) -> Said:
    """What the gate says of one trial."""
    gate, trial = it.gate, it.trial
    if it.lack is not None or it.judged is None or it.bounds is None:
        lack = it.lack or Lack(Undecided.BROKEN, "there is no value")
        return Said(it, Outcome.INCONCLUSIVE, lack.message, None, str(lack.kind), lack.hint)
    plain = Outcome.PASS if it.judged.passed else Outcome.FAIL
    slack = it.bounds.slack(trial.quantity.estimate) if trial.quantity is not None else math.inf
    if trial.quantity is None or trial.quantity.at is None:
        return _without_interval(it, plain, slack)
    interval = trial.quantity.at(float(gate.confidence))
    alpha = tail(float(gate.confidence))
    evidence = _evidence(it, interval, correction, alpha)
    broken = it.test is not None and correction.adjusted <= alpha
    held = it.bounds.low <= interval.low and interval.high <= it.bounds.high
    if gate.prove is not Prove.NONE and _is_blind(trial.quantity.at, interval):
        message = f"{it.judged.message}; its interval says nothing ({trial.rows:,} rows), so nothing is proven"
        hint = "gather more rows, or more clusters where rows have some"
        return Said(it, Outcome.INCONCLUSIVE, message, evidence, str(Undecided.INCONCLUSIVE), hint, slack)
    outcome = {
        Prove.NONE: plain,
        Prove.PASS: Outcome.PASS if held else Outcome.FAIL if broken else Outcome.INCONCLUSIVE,
        Prove.FAIL: Outcome.FAIL if broken else Outcome.PASS,
    }[gate.prove]
    message = f"{it.judged.message}; {_interval_text(trial, interval, it.bounds)}{_why(it, outcome, plain, correction)}"
    if outcome is not Outcome.INCONCLUSIVE:
        return Said(it, outcome, message, evidence, slack=slack)
    return Said(it, outcome, message, evidence, str(Undecided.INCONCLUSIVE), _more_rows(it, interval), slack)


def _is_blind(at: At, interval: Interval) -> bool:
    """Whether an interval is as wide at 50 % as it is: then it is all there is, and no failure could be proven."""
    narrow = at(0.5)
    return interval.low < interval.high and (narrow.low, narrow.high) == (interval.low, interval.high)


def _without_interval(it: Tried, plain: Outcome, slack: float) -> Said:
    assert it.judged is not None  # noqa: S101 - its caller has looked
    if it.gate.prove is Prove.NONE or it.trial.certain:
        return Said(it, plain, it.judged.message, slack=slack)
    hint = "add `prove: none` to judge the value alone"
    message = f"{it.judged.message}; no interval is known for it, so nothing is proven"
    return Said(it, Outcome.INCONCLUSIVE, message, None, str(Undecided.INCONCLUSIVE), hint, slack)


def _why(it: Tried, outcome: Outcome, plain: Outcome, correction: Correction) -> str:
    """The test in words, where it decided."""
    if it.test is None:
        return ""
    p = f"p = {_p_text(correction.adjusted)}"
    if correction.family > 1:
        p += f" over {correction.family} tests"
    if outcome is Outcome.FAIL:
        return f": the limit is broken, {p}"
    if outcome is Outcome.INCONCLUSIVE and it.test.p_value > tail(float(it.gate.confidence)):
        return ": these rows cannot tell"
    if plain is Outcome.FAIL:
        return f": within chance, {p}"
    return ""


def _p_text(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else "below 0.0001"


def _interval_text(trial: Trial, interval: Interval, bounds: Bounds) -> str:
    ends = [each for each in (interval.low, interval.high) if math.isfinite(each)]
    limits = [exact(each) for each in (bounds.low, bounds.high) if math.isfinite(each)]
    shown = iter(figures(*(_short(each) for each in ends), *limits)[: len(ends)])
    low, high = (next(shown) if math.isfinite(each) else str(each) for each in (interval.low, interval.high))
    of = "" if trial.kind == "value" else f" of the {trial.kind}"
    level = text_of(exact(interval.level * 100).quantize(Decimal("1e-6")))
    return f"{level}% interval{of} {low} to {high} ({trial.rows:,} rows)"


def _short(value: float) -> Decimal:
    """Four digits are enough of an interval's end; ``figures`` shows more where they matter."""
    return Decimal(f"{value:.4g}")


def _more_rows(it: Tried, interval: Interval) -> str:
    """How many rows would tell, if the estimate stayed."""
    quantity, bounds = it.trial.quantity, it.bounds
    assert quantity is not None  # noqa: S101 - its caller has looked
    assert bounds is not None  # noqa: S101 - so it has here
    slack, low_is_near = (
        bounds.slack(quantity.estimate),
        bounds.slack(quantity.estimate) == quantity.estimate - bounds.low,
    )
    down, up = quantity.estimate - interval.low, interval.high - quantity.estimate
    reach = down if low_is_near == (slack > 0) else up
    choice = "`prove: fail` or `prove: none` asks for less"
    if not slack or not math.isfinite(slack) or not math.isfinite(reach):
        return f"gather more rows; {choice}"
    rows = math.ceil(quantity.rows * (reach / abs(slack)) ** 2)
    if rows <= quantity.rows:
        return f"gather more rows, or make fewer tests at once; {choice}"
    about = f"about {_round_up(rows):,} rows" if rows < 1e12 else "far more rows"
    return f"{about} would tell, if the estimate stays; {choice}"


def _round_up(rows: int) -> int:
    digits = int(10 ** max(0, len(str(rows)) - 2))
    return -(-rows // digits) * digits


def _evidence(it: Tried, interval: Interval, correction: Correction, alpha: float) -> Evidence:
    quantity = it.trial.quantity
    assert quantity is not None  # noqa: S101 - its caller has looked
    assert it.bounds is not None  # noqa: S101 - so it has here
    size = alpha / max(1, correction.family) if correction.method == "holm" else alpha
    found = quantity.smallest_found(size, downwards=math.isfinite(it.bounds.low))
    test = it.test
    return Evidence(
        it.trial.kind,
        it.gate.confidence,
        interval.method,
        quantity.rows,
        estimate=_number(quantity.estimate),
        low=_number(interval.low),
        high=_number(interval.high),
        p_value=_number(test.p_value) if test else None,
        test=test.method if test else "",
        adjusted=_number(correction.adjusted) if correction.family else None,
        correction=correction.method,
        family=correction.family,
        detectable=_number(found),
        seed=SEED if interval.draws or (test and "permutation" in test.method) else None,
    )


def _number(value: float) -> Decimal | None:
    return exact(value) if math.isfinite(value) else None

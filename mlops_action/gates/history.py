"""Rules that judge a value by those of earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

from mlops_action.config.history_model import HistoryTest, HistoryThresholdSpec, boundary_problem
from mlops_action.errors import BadDocument
from mlops_action.frozen import frozen
from mlops_action.gates.change import MaxDrop
from mlops_action.gates.exact import figures, text_of
from mlops_action.gates.interface import Judgement
from mlops_action.gates.limits import amount_limit, higher_is_better
from mlops_action.gates.ratios import rounded
from mlops_action.records import PlannedGate
from mlops_action.statistics.distributions import normal_quantile, student_quantile
from mlops_action.structure import LEFT_OUT, Structurer
from mlops_action.vocabulary import Undecided

_REAL = Context(prec=50)


class Ratchet:
    """Passes unless the value is worse than the best of the history by more than the amount."""

    def judge(self, gate: PlannedGate, value: Decimal, past: Sequence[Decimal]) -> Judgement:
        """Judge ``value``; see ``HistoryRule``.

        Raises:
            BadDocument: the plan does not hold the amount or the direction.
        """
        amount_limit(gate)
        best = self.reference(gate, past)
        limits = {"max-drop": gate.limits[gate.rule]}
        judged = MaxDrop().judge(replace(gate, rule="max-drop", limits=limits), value, best)
        if best is None:
            return replace(judged, message="the history holds no value to compare with", undecided=Undecided.MISSING)
        among = f"the best of {len(past)}" if len(past) > 1 else "the only one"
        return replace(
            judged, message=f"{judged.message} ({among} in the history)", limit=f"{judged.limit} from {among}"
        )

    def reference(self, gate: PlannedGate, past: Sequence[Decimal]) -> Decimal | None:
        """The best value, or None of none."""
        if not past:
            return None
        return max(past) if higher_is_better(gate) else min(past)


class HistoryThreshold:
    """Passes within the limits that a test makes from the history; the formulas are in docs/gates.md."""

    def judge(self, gate: PlannedGate, value: Decimal, past: Sequence[Decimal]) -> Judgement:
        """Judge ``value``; see ``HistoryRule``.

        Raises:
            BadDocument: the plan does not hold the test.
        """
        spec = threshold_of(gate)
        sample = past[-spec.max_sample_size :] if spec.max_sample_size else past
        needed = max(spec.min_sample_size, _FEWEST[spec.test])
        wanted = f"usual by the {spec.test} of {len(sample)} runs"
        if len(sample) < needed:
            held = f"{len(sample)} value{'' if len(sample) == 1 else 's'}"
            said = f"the history holds {held} of {gate.metric}; at least {needed} are needed"
            return Judgement(None, said, wanted, undecided=Undecided.INCONCLUSIVE)
        try:
            with localcontext(_REAL):
                usual = _USUAL[spec.test](list(sample))
                low, high = usual.limits(spec)
        except (ArithmeticError, ValueError) as error:
            return Judgement(None, f"the {spec.test} of {gate.metric} is undefined: {error}", wanted)
        return _within(gate, value, (low, high), usual, wanted)

    def reference(self, gate: PlannedGate, past: Sequence[Decimal]) -> Decimal | None:
        """None: there is no one value that it compares with."""
        del gate, past
        return None


def _within(
    gate: PlannedGate, value: Decimal, ends: tuple[Decimal | None, Decimal | None], usual: _Usual, wanted: str
) -> Judgement:
    low, high = ends
    known = [end for end in ends if end is not None]
    here, centre, *shown = figures(value, usual.centre, *known)
    texts = dict(zip(known, shown, strict=True))
    below, above = low is not None and value < low, high is not None and value > high
    limit = " and ".join(
        f"at {word} {text_of(_short(end, word))}" for word, end in (("least", low), ("most", high)) if end is not None
    )
    if (below or above) and not usual.spread:
        said = f"{gate.metric} {here} is not {centre}, which the history has without any spread: "
        hint = "how much more is usual, nobody can tell from it"
        return Judgement(None, said + hint, limit, limit, Undecided.INCONCLUSIVE)
    if below or above:
        end = low if below else high
        assert end is not None  # noqa: S101  # it was crossed
        side = f"below {texts[end]}, the lower" if below else f"above {texts[end]}, the upper"
        said = f"{gate.metric} {here} is {side} limit of what is {wanted} around {centre}"
        return Judgement(False, said, limit, limit)
    return Judgement(True, f"{gate.metric} {here} is within what is {wanted}: {limit}", limit, limit)


def _short(end: Decimal, word: str) -> Decimal:
    """A limit to 12 digits for people, rounded inwards; the decision is made on all of them."""
    return end.normalize(Context(prec=12, rounding=ROUND_CEILING if word == "least" else ROUND_FLOOR))


def threshold_of(gate: PlannedGate) -> HistoryThresholdSpec:
    """The test of a planned gate.

    Raises:
        BadDocument: the plan does not hold it.
    """
    held: Any = gate.limits.get(gate.rule) if isinstance(gate.limits, dict) else None
    structurer = Structurer()
    spec = structurer.read(HistoryThresholdSpec, held, "")
    if spec is LEFT_OUT or structurer.misfits:
        said = structurer.misfits[0].message if structurer.misfits else "it is missing"
        raise BadDocument(f"gate `{gate.name}`: the limit `{gate.rule}` is not usable: {said}", origin=gate.origin)
    problem = boundary_problem(spec)
    if problem:
        raise BadDocument(f"gate `{gate.name}`: {problem}", origin=gate.origin)
    return spec  # type: ignore[no-any-return]  # read as such


@frozen
class _Usual:
    """Where usual values lie: a centre, and how far one unit of a boundary reaches from it on each side."""

    centre: Decimal
    spread: Decimal
    log: bool = False
    freedom: int | None = None
    probability: bool = False

    def limits(self, spec: HistoryThresholdSpec) -> tuple[Decimal | None, Decimal | None]:
        low, high = spec.lower_boundary, spec.upper_boundary
        return None if low is None else self._end(low, -1), None if high is None else self._end(high, 1)

    def _end(self, boundary: Decimal, side: int) -> Decimal:
        reach = side * self.spread * (self._quantile(boundary) if self.probability else boundary)
        return (self.centre.ln() + reach).exp() if self.log else self.centre + reach

    def _quantile(self, probability: Decimal) -> Decimal:
        level = float(probability)
        return Decimal(normal_quantile(level) if self.freedom is None else student_quantile(level, self.freedom))


def _mean(values: Sequence[Decimal]) -> Decimal:
    return rounded(sum(map(Fraction, values), Fraction(0)) / len(values))


def _deviation(values: Sequence[Decimal], divisor: int) -> Decimal:
    """The root of the mean square distance from the mean; exactly 0 for equal values."""
    exact = list(map(Fraction, values))
    mean = sum(exact, Fraction(0)) / len(exact)
    return rounded(sum(((each - mean) ** 2 for each in exact), Fraction(0)) / divisor).sqrt()


def _percentage(values: Sequence[Decimal]) -> _Usual:
    mean = _mean(values)
    if not mean:
        raise ValueError("a share of a mean of 0")
    return _Usual(mean, abs(mean))


def _z_score(values: Sequence[Decimal]) -> _Usual:
    return _Usual(_mean(values), _deviation(values, len(values)), probability=True)


def _t_test(values: Sequence[Decimal]) -> _Usual:
    """The prediction interval of one more value: s √(1 + 1/n)."""
    count = len(values)
    spread = _deviation(values, count - 1) * (1 + Decimal(1) / count).sqrt()
    return _Usual(_mean(values), spread, freedom=count - 1, probability=True)


def _log_normal(values: Sequence[Decimal]) -> _Usual:
    if min(values) <= 0:
        raise ValueError("it needs values above 0")
    logs = [each.ln() for each in values]
    spread = _deviation(logs, len(logs)) if min(values) != max(values) else Decimal(0)
    return _Usual(_mean(logs).exp() if spread else values[0], spread, log=True, probability=True)


def _iqr(values: Sequence[Decimal]) -> _Usual:
    first, median, third = _quartiles(list(map(Fraction, values)))
    return _Usual(rounded(median), rounded(third - first))


def _delta_iqr(values: Sequence[Decimal]) -> _Usual:
    exact = list(map(Fraction, values))
    if not all(exact[:-1]):
        raise ValueError("a step from 0 has no size as a share")
    first, _, third = _quartiles([abs((after - before) / before) for before, after in pairwise(exact)])
    median = _quartiles(exact)[1]
    return _Usual(rounded(median), rounded(abs(median) * (third - first)))


def _quartiles(values: list[Fraction]) -> tuple[Fraction, Fraction, Fraction]:
    """Quartiles by linear interpolation (Hyndman and Fan 1996, definition 7)."""
    ordered = sorted(values)

    def quantile(share: Fraction) -> Fraction:
        place, rest = divmod(share * (len(ordered) - 1), 1)
        above = ordered[min(int(place) + 1, len(ordered) - 1)]
        return ordered[int(place)] + (above - ordered[int(place)]) * rest

    return quantile(Fraction(1, 4)), quantile(Fraction(1, 2)), quantile(Fraction(3, 4))


_USUAL = {
    HistoryTest.PERCENTAGE: _percentage,
    HistoryTest.Z_SCORE: _z_score,
    HistoryTest.T_TEST: _t_test,
    HistoryTest.LOG_NORMAL: _log_normal,
    HistoryTest.IQR: _iqr,
    HistoryTest.DELTA_IQR: _delta_iqr,
}
_FEWEST = dict.fromkeys(HistoryTest, 2) | {HistoryTest.PERCENTAGE: 1, HistoryTest.DELTA_IQR: 3}

"""What a gate judges: all rows, one slice, many slices or pairs of groups. Each is a trial, or a reason why not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from mlops_action.errors import nearest
from mlops_action.frozen import frozen
from mlops_action.judgement.predictions.files import Compared, Slices
from mlops_action.metrics.predictions.estimate import Estimate, SliceMetrics
from mlops_action.records import PlannedGate
from mlops_action.statistics.proportions import mover
from mlops_action.statistics.quantity import Quantity
from mlops_action.statistics.results import Interval, mapped
from mlops_action.vocabulary import Undecided


@frozen
class Lack:
    """Why something cannot be judged, and what to do about it."""

    kind: Undecided
    message: str
    hint: str = ""
    small: bool = False
    """Whether there are only too few rows."""


@frozen
class Trial:
    """One thing to judge: values exactly as they were computed, and the quantity that the limit is about."""

    name: str
    rows: int
    value: Decimal | None = None
    other: Decimal | None = None
    """The baseline's value, or that of the other group."""
    quantity: Quantity | None = None
    kind: str = "value"
    lack: Lack | None = None
    counted: bool = True
    certain: bool = False
    """Whether the value is a count of the file itself, which is not estimated from anything."""


def exact(value: float) -> Decimal:
    """The shortest decimal that stands for a double."""
    return Decimal(repr(float(value)))


def own_trials(gate: PlannedGate, slices: Slices) -> Iterator[Trial]:
    """Trials of the candidate's own values."""
    for name in _names(gate, slices):
        found = _estimate(gate, slices, name)
        if isinstance(found, Lack):
            yield _lacking(gate, name, _rows(slices, name), found)
            continue
        value, rows = float(found.value or 0.0), slices[name].rows
        yield Trial(name, rows, exact(value), quantity=Quantity(value, found.at, rows))


def changes(gate: PlannedGate, compared: Compared, everything: Slices) -> Iterator[Trial]:
    """Trials of the candidate's values beside the baseline's.

    Args:
        gate: the gate.
        compared: both models on what they have in common.
        everything: the candidate's slices with all their rows.
    """
    if not gate.slices:
        yield _change(gate, compared, gate.slice)
        return
    here = _names(gate, everything)
    earlier = None if compared.earlier is None else _names(gate, compared.earlier)
    for name in here:
        if earlier is not None and name not in earlier:
            lack = Lack(Undecided.MISSING, "it is new: the baseline has no rows of it")
            yield Trial(name, everything[name].rows, lack=lack, counted=False)
        else:
            yield _change(gate, compared, name)
    for name in earlier or ():
        if name not in here:
            said = f"it is gone: the baseline has {(compared.earlier or {})[name]:,} rows of it, the candidate none"
            yield Trial(name, 0, lack=Lack(Undecided.MISSING, said, "predict the rows of this slice as well"))


def _change(gate: PlannedGate, compared: Compared, name: str) -> Trial:
    """The trial of one slice that both models have seen."""
    found, before = (_estimate(gate, slices, name) for slices in (compared.candidate, compared.baseline))
    rows = _rows(compared.candidate, name)
    if isinstance(found, Lack):
        return _lacking(gate, name, rows, found)
    if isinstance(before, Lack):
        return _lacking(gate, name, rows, replace(before, message=f"the baseline: {before.message}"))
    quantity = _difference(gate, compared, name, (found, before))
    value, other = (exact(each.value or 0.0) for each in (found, before))
    return Trial(name, rows, value, other, quantity, "difference")


def expected(gate: PlannedGate, slices: Slices) -> tuple[list[Trial], list[str]]:
    """A trial for each declared slice that is not there, and notes on those that nobody declared."""
    assert gate.predictions is not None  # noqa: S101 - it is a gate on predictions
    lacking, notes = [], []
    judged = {*gate.slices, gate.groups, gate.slice.partition("=")[0]}
    for column, values in gate.predictions.expected.items():
        if column not in judged:
            continue
        here = [name.removeprefix(f"{column}=") for name in _by(column, slices)]
        for value in values:
            if value not in here:
                said = f"`{column}` has no row with the expected value `{value}`"
                lacking.append(Trial(f"{column}={value}", 0, lack=Lack(Undecided.MISSING, said)))
        others = [value for value in here if value not in values]
        if others:
            notes.append(f"`{column}` has values that are not `expected`: {', '.join(others[:10])}")
    return lacking, notes


def _by(column: str, slices: Iterable[str]) -> list[str]:
    """The slices of one column's values."""
    return [name for name in slices if name.startswith(f"{column}=") and " & " not in name]


def _lacking(gate: PlannedGate, name: str, rows: int, lack: Lack) -> Trial:
    return Trial(name, rows, lack=lack, counted=gate.smallest.counts or not lack.small or not gate.slices)


def groups(gate: PlannedGate, slices: Slices) -> Iterator[Trial]:
    """Trials of every pair of groups: the difference, or the ratio, of their values."""
    names = _by(gate.groups, slices)
    if len(names) < 2:
        yield Trial("", 0, lack=Lack(Undecided.MISSING, f"`{gate.groups}` has {len(names)} values; two are compared"))
        return
    small = {name: lack for name in names if (lack := too_small(gate, slices[name])) is not None}
    for name, lack in small.items():
        yield Trial(name, slices[name].rows, lack=lack, counted=gate.smallest.counts)
    judged = [name for name in names if name not in small]
    for place, one in enumerate(judged):
        for other in judged[place + 1 :]:
            yield _pair(gate, slices, one, other)


def too_small(gate: PlannedGate, found: SliceMetrics) -> Lack | None:
    """Why a slice has too little to be judged, if so."""
    least = gate.smallest
    counts = found.counts
    positives = counts.get("true_positives", 0) + counts.get("false_negatives", 0)
    negatives = counts.get("true_negatives", 0) + counts.get("false_positives", 0)
    few = [
        f"{have:,.6g} {what} ({need} are needed)"
        for have, need, what in (
            (found.rows, least.rows, "rows"),
            (positives, least.positives if counts else 0, "positives"),
            (negatives, least.negatives if counts else 0, "negatives"),
        )
        if have < need
    ]
    if not few:
        return None
    hint = "gather more rows, lower the gate's `min-n`, `min-positives` or `min-negatives`"
    return Lack(
        Undecided.INCONCLUSIVE, f"there are {' and '.join(few)}", f"{hint}, or only name such slices", small=True
    )


def _names(gate: PlannedGate, slices: Iterable[str]) -> list[str]:
    if not gate.slices:
        return [gate.slice]
    wanted = {tuple(part.strip() for part in each.split("&")) for each in gate.slices}
    return [name for name in slices if name and tuple(p.partition("=")[0] for p in name.split(" & ")) in wanted]


def _rows(slices: Slices, name: str) -> int:
    return slices[name].rows if name in slices else 0


def _estimate(gate: PlannedGate, slices: Slices, name: str) -> Estimate | Lack:
    found = slices.get(name)
    if found is None:
        return Lack(Undecided.MISSING, f"there is no slice `{name}`", nearest(name, [each for each in slices if each]))
    if gate.metric not in found.metrics:
        hint = nearest(gate.metric, list(found.metrics))
        return Lack(Undecided.MISSING, f"these predictions have no metric `{gate.metric}`", hint)
    lack = too_small(gate, found)
    if lack is not None:
        return lack
    estimate = found.metrics[gate.metric]
    if estimate.value is None:
        of = f"{estimate.counted}: {estimate.denominator:g}"
        return Lack(Undecided.UNDEFINED, f"{gate.metric} is undefined ({of})", "judge where it is defined")
    return estimate


def _difference(gate: PlannedGate, compared: Compared, name: str, both: tuple[Estimate, Estimate]) -> Quantity | None:
    if compared.paired and (found := compared.difference(gate.metric, name)) is not None:
        return found
    one, other = both
    rows = compared.candidate[name].rows
    if one.value is None or other.value is None:
        return None
    return _apart(one, other, rows)


def _apart(one: Estimate, other: Estimate, rows: int) -> Quantity:
    """The difference of two estimates on different rows: square-and-add, for proportions Newcombe's."""
    first, second = one.value or 0.0, other.value or 0.0
    own, others = one.at, other.at
    if own is None or others is None:
        return Quantity(first - second, None, rows)

    def at(level: float) -> Interval:
        ends = own(level), others(level)
        method = "newcombe-independent" if all(each.method == "wilson" for each in ends) else "square-and-add"
        found = mover((first, ends[0]), (second, ends[1]), level, method)
        return Interval(found.low, found.high, level, method, max(each.draws for each in ends))

    return Quantity(first - second, at, rows)


def _pair(gate: PlannedGate, slices: Slices, one: str, other: str) -> Trial:
    found = [_estimate(gate, slices, name) for name in (one, other)]
    name, rows = f"{one} / {other}", slices[one].rows + slices[other].rows
    for each in found:
        if isinstance(each, Lack):
            return Trial(name, rows, lack=each)
    first, second = (each for each in found if isinstance(each, Estimate))
    if gate.rule == "min-ratio" and (first.value or 0.0) > (second.value or 0.0):
        one, other, first, second = other, one, second, first
        name = f"{one} / {other}"
    quantity = _apart(first, second, rows) if gate.rule == "max-gap" else _ratio(first, second, rows)
    kind = "gap" if gate.rule == "max-gap" else "ratio"
    return Trial(name, rows, exact(first.value or 0.0), exact(second.value or 0.0), quantity, kind)


def _ratio(one: Estimate, other: Estimate, rows: int) -> Quantity:
    """The ratio of two estimates on different rows: square-and-add on the logarithmic scale (Zou & Donner 2008)."""
    first, second = one.value or 0.0, other.value or 0.0
    if min(first, second) < 0 or second == 0 or one.at is None or other.at is None:
        return Quantity(math.inf if first > 0 else math.nan, None, rows)
    own, others = mapped(one.at, _log), mapped(other.at, _log)

    def at(level: float) -> Interval:
        ends = (_log(first), own(level)), (_log(second), others(level))
        if not math.isfinite(ends[0][0]):
            return Interval(0.0, _exp(ends[0][1].high - ends[1][1].low), level, "square-and-add-logarithms")
        found = mover(*ends, level, "square-and-add-logarithms")
        return Interval(_exp(found.low), _exp(found.high), level, found.method, max(e.draws for _, e in ends))

    return Quantity(first / second, at, rows)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf

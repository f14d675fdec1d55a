"""Which readings a gate means: by name, by JSON Pointer, by pattern, or by arithmetic over several."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction

from mlops_action.config.expression import Operand, Undefined, expression_of
from mlops_action.config.rules import is_pattern
from mlops_action.errors import nearest
from mlops_action.frozen import frozen
from mlops_action.gates.ratios import rounded
from mlops_action.records import MetricReading, PlannedGate
from mlops_action.vocabulary import Undecided


@frozen
class Gap:
    """Why there is no number to judge, and what to do about it."""

    message: str
    hint: str = ""
    reading: MetricReading | None = None
    kind: Undecided = Undecided.BROKEN


@frozen
class Chosen:
    """One finite value, and where it was read; ``ratio`` is the value itself where its decimals have no end."""

    value: Decimal
    origins: tuple[str, ...]
    ratio: Fraction | None = None


def choose(gate: PlannedGate, readings: Sequence[MetricReading], where: str) -> Chosen | Gap:
    """The finite value that a gate judges, or why there is none.

    ``where`` starts each message, and is empty for the candidate's own readings.
    """
    if gate.expression:
        return _reckoned(gate, readings, where)
    found = _select(Operand(gate.metric, gate.slice), readings, where)
    if isinstance(found, Gap):
        return found
    assert found.value is not None  # noqa: S101  # selected
    return Chosen(found.value, (found.origin,))


def matching(gate: PlannedGate, readings: Sequence[MetricReading]) -> list[Operand] | None:
    """What the patterns of a gate stand for, in the readings' order; None for a gate without patterns."""
    if gate.expression or not (is_pattern(gate.metric) or is_pattern(gate.slice)):
        return None
    if any((each.name, each.slice) == (gate.metric, gate.slice) for each in readings):
        return None
    fits = [each for each in readings if _fits(each.name, gate.metric) and _fits(each.slice, gate.slice)]
    return list(dict.fromkeys(Operand(each.name, each.slice) for each in fits))


def _fits(name: str, wanted: str) -> bool:
    return name == wanted or (is_pattern(wanted) and fnmatchcase(name, wanted))


def _reckoned(gate: PlannedGate, readings: Sequence[MetricReading], where: str) -> Chosen | Gap:
    expression = expression_of(gate.expression)
    values: dict[Operand, Fraction] = {}
    origins: dict[str, None] = {}
    for operand in expression.operands():
        found = _select(Operand(operand.metric, operand.slice or gate.slice), readings, where)
        if isinstance(found, Gap):
            return found
        assert found.value is not None  # noqa: S101  # selected
        values[operand] = Fraction(found.value)
        origins[found.origin] = None
    try:
        ratio = expression.value(values.__getitem__)
        return Chosen(rounded(ratio), tuple(origins), ratio)
    except Undefined as error:
        shown = ", ".join(f"{operand.metric} {rounded(value)}" for operand, value in values.items())
        hint = "judge it where its denominator is not 0"
        return Gap(f"{where}`{gate.expression}` is undefined: {error} ({shown})", hint, kind=Undecided.UNDEFINED)
    except ArithmeticError:
        return Gap(f"{where}`{gate.expression}` is too large to be meant", kind=Undecided.UNDEFINED)


def _select(wanted: Operand, readings: Sequence[MetricReading], where: str) -> MetricReading | Gap:
    """The one finite reading of a metric and slice, or why there is none."""
    named = _named(wanted.metric, readings, elsewhere=bool(where))
    found = [reading for reading in named if reading.slice == wanted.slice or "#" in wanted.metric]
    if not found:
        return _missing(wanted, readings, named, where)
    if len(found) > 1:
        places = ", ".join(f"{each.origin} (step {each.step})" if each.step else each.origin for each in found[:5])
        return Gap(
            f"{where}`{wanted.metric}` was read {len(found)} times, from {places}",
            "give the metrics different names, or write each in one place only, or name its place: `FILE#/POINTER`",
        )
    reading, undefined = found[0], Undecided.UNDEFINED
    if reading.value is None:
        return Gap(
            f"{where}`{wanted.metric}` has no number at {reading.origin}", "write a number there", reading, undefined
        )
    if not reading.value.is_finite():
        return Gap(
            f"{where}`{wanted.metric}` is {reading.value} at {reading.origin}, which is neither good nor bad",
            "find out why it could not be computed",
            reading,
            undefined,
        )
    return reading


def _named(metric: str, readings: Sequence[MetricReading], *, elsewhere: bool) -> list[MetricReading]:
    """Readings of a name, else those at a place; in a baseline, which is another file, the place inside it counts."""
    named = [reading for reading in readings if reading.name == metric]
    file, hash_, place = metric.partition("#")
    if named or not hash_:
        return named
    anywhere = elsewhere or not file
    return [
        reading
        for reading in readings
        if (reading.origin.partition("#")[2] == place if anywhere else reading.origin == metric)
    ]


def _missing(wanted: Operand, readings: Sequence[MetricReading], named: Sequence[MetricReading], where: str) -> Gap:
    lost = Undecided.MISSING
    if not readings:
        hint = "let a step write a metric file and name it under `metrics`"
        return Gap(f"{where}`{wanted.metric}` is missing: no metric was read at all", hint, kind=lost)
    if not named and "#" in wanted.metric:
        places = [reading.origin for reading in readings]
        known = nearest(
            wanted.metric, [f"#{each.partition('#')[2]}" if wanted.metric[0] == "#" else each for each in places]
        )
        return Gap(f"{where}there is no number at `{wanted.metric}`", _short(known), kind=lost)
    if not named:
        known = nearest(wanted.metric, tuple(dict.fromkeys(reading.name for reading in readings)))
        return Gap(f"{where}there is no metric `{wanted.metric}`", _short(known), kind=lost)
    slices = tuple(reading.slice for reading in named if reading.slice)
    if not wanted.slice:
        hint = f"add `slice: {slices[0]}` or another one to the gate"
        return Gap(f"{where}`{wanted.metric}` was measured on slices only", hint, kind=lost)
    hint = nearest(wanted.slice, slices)
    return Gap(f"{where}`{wanted.metric}` was not measured on the slice `{wanted.slice}`", hint, kind=lost)


def _short(hint: str) -> str:
    return hint if len(hint) < 300 else f"{hint[:300]}…"

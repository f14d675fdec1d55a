"""Rules: a truth table, laws for every rule, and fractions as an oracle that shares no code."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action.config.load import policy_from_text
from mlops_action.config.policy_model import GateSpec
from mlops_action.config.rules import direction_of, rule_of
from mlops_action.errors import BadDocument, Problems
from mlops_action.gates import RULES
from mlops_action.gates.exact import figures, minus, percent, text_of
from mlops_action.gates.interface import Judgement, Rule
from mlops_action.gates.limits import limits_of
from mlops_action.records import PlannedGate
from mlops_action.registry import load_from
from mlops_action.structure import Structurer, key_of

TABLE = yaml.load((Path(__file__).parent / "gates_truth_table.yaml").read_text(), yaml.BaseLoader)
SAYS = {True: "pass", False: "fail", None: "undefined"}

SAMPLES: dict[str, dict[str, Any]] = {
    "min": {"min": "0.95"},
    "max": {"max": "0.95"},
    "range": {"range": ["0.9", "0.95"]},
    "equals": {"equals": "0.95", "tolerance": "0.01"},
    "max-drop": {"max-drop": "0.01", "direction": "higher"},
    "min-gain": {"min-gain": "0.01", "direction": "higher"},
    "max-gain": {"max-gain": "0.01", "direction": "higher"},
}

finite_texts = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(min_value=-(10**60), max_value=10**60).map(str),
    st.sampled_from(["0", "-0.0", "1e-300", "0.1", "0.2", "0.3", "0.9", "0.89", "0.01"]),
)
sizes = st.one_of(
    st.decimals(min_value=0, max_value=2, allow_nan=False).map(str),
    st.floats(min_value=0, max_value=2).map(repr),
    st.sampled_from(["0", "0.01", "0.1", "0.2"]),
)


def planned(gate: dict[str, Any]) -> PlannedGate:
    """A gate as the plan holds it after a trip through JSON."""
    structurer = Structurer()
    spec: GateSpec = structurer.read(GateSpec, {"metric": "score", **gate}, "")
    assert not structurer.misfits
    limits = json.loads(json.dumps(limits_of(spec)))
    direction = direction_of(spec)
    return PlannedGate("g", "score", key_of(rule_of(spec)), limits, "mlops.yaml:1:1", str(direction or ""))


def judge(gate: dict[str, Any], value: str, baseline: str | None = None) -> Judgement:
    plan = planned(gate)
    rule: Rule = load_from(RULES, plan.rule)()
    assert rule.needs_baseline == (baseline is not None)
    return rule.judge(plan, Decimal(value), None if baseline is None else Decimal(baseline))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{next(iter(row['gate']))}: {row['why']}")
def test_each_row_of_the_truth_table_holds(row: dict[str, Any]) -> None:
    judged = judge(row["gate"], row["value"], row.get("baseline"))
    assert SAYS[judged.passed] == row["says"], judged.message


def test_every_rule_has_passing_and_failing_rows() -> None:
    seen = {(next(key for key in row["gate"] if key in RULES), row["says"]) for row in TABLE}
    assert {(rule, says) for rule in RULES for says in ("pass", "fail")} <= seen


# --- laws for every rule


@pytest.mark.parametrize("name", RULES)
def test_every_rule_says_what_would_have_passed(name: str) -> None:
    judged = judge(SAMPLES[name], "123456", "0.9" if "direction" in SAMPLES[name] else None)
    assert judged.needed
    assert judged.limit
    assert judged.message


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("limits", [{}, None, [], {"tolerance": 1}, "0.95"])
def test_limits_that_are_missing_are_refused(name: str, limits: Any) -> None:
    plan = PlannedGate("g", "score", name, limits, "mlops.yaml:3:1", "higher")
    with pytest.raises(BadDocument) as caught:
        load_from(RULES, name)().judge(plan, Decimal(1), Decimal(1))
    assert caught.value.origin == "mlops.yaml:3:1"


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("bad", ["NaN", "inf", "-Infinity", "sNaN", None, True, {}, [], [1], "much", "1e99999"])
def test_limits_that_are_no_finite_numbers_are_refused(name: str, bad: Any) -> None:
    plan = PlannedGate("g", "score", name, {name: bad}, "mlops.yaml:3:1", "higher")
    with pytest.raises(BadDocument):
        load_from(RULES, name)().judge(plan, Decimal(1), Decimal(1))


@pytest.mark.parametrize("name", ["max-drop", "min-gain", "max-gain"])
def test_change_rules_refuse_an_unknown_direction(name: str) -> None:
    plan = PlannedGate("g", "score", name, {name: {"absolute": 1}}, "mlops.yaml:3:1", "")
    with pytest.raises(BadDocument, match="direction"):
        load_from(RULES, name)().judge(plan, Decimal(1), Decimal(1))


@pytest.mark.parametrize("name", ["max-drop", "min-gain", "max-gain"])
def test_change_rules_without_a_baseline_are_undefined(name: str) -> None:
    assert load_from(RULES, name)().judge(planned(SAMPLES[name]), Decimal(1), None).passed is None


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("value", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 5000, "-0.0"])
def test_absurd_values_are_judged_or_undefined_but_quickly(name: str, value: str) -> None:
    judged = judge(SAMPLES[name], value, "0.9" if "direction" in SAMPLES[name] else None)
    assert judged.passed in {True, False, None}


@pytest.mark.parametrize("name", ["max-drop", "min-gain", "max-gain", "equals"])
def test_a_difference_that_cannot_be_exact_is_undefined(name: str) -> None:
    value = "1e999999999" if name != "max-drop" else "1e-999999999"
    assert judge(SAMPLES[name], value, "0.9" if name != "equals" else None).passed is None


# --- the oracle: fractions, on the texts


def sized(text: str, share: str, reference: Fraction) -> list[Fraction]:
    """The sizes of an amount; a part that is left out is empty."""
    absolute = [Fraction(text)] if text else []
    return [*absolute, Fraction(share) * abs(reference)] if share else absolute


@settings(deadline=None)
@given(finite_texts, finite_texts)
def test_min_and_max_agree_with_fractions(value: str, limit: str) -> None:
    assert judge({"min": limit}, value).passed == (Fraction(value) >= Fraction(limit))
    assert judge({"max": limit}, value).passed == (Fraction(value) <= Fraction(limit))


@settings(deadline=None)
@given(finite_texts, finite_texts, finite_texts)
def test_range_agrees_with_fractions(value: str, one: str, other: str) -> None:
    low, high = sorted((one, other), key=Fraction)
    expected = Fraction(low) <= Fraction(value) <= Fraction(high)
    assert judge({"range": [low, high]}, value).passed == expected


@settings(deadline=None)
@given(finite_texts, finite_texts, sizes, sizes)
def test_equals_agrees_with_fractions(value: str, target: str, absolute: str, share: str) -> None:
    off = abs(Fraction(value) - Fraction(target))
    judged = judge({"equals": target, "tolerance": {"absolute": absolute, "relative": share}}, value)
    expected: bool | None = all(off <= size for size in sized(absolute, share, Fraction(target)))
    if not Fraction(target):
        expected = None if off <= Fraction(absolute) else False
    assert judged.passed is expected


@settings(deadline=None)
@given(finite_texts, finite_texts, sizes, sizes, st.sampled_from(["higher", "lower"]), st.sampled_from("ars"))
def test_changes_agree_with_fractions(
    value: str, baseline: str, absolute: str, share: str, direction: str, kind: str
) -> None:
    amount = {"a": {"absolute": absolute}, "r": {"relative": share}, "s": {"absolute": absolute, "relative": share}}
    before = Fraction(baseline)
    gain = (Fraction(value) - before) * (1 if direction == "higher" else -1)
    known = sized("" if kind == "r" else absolute, "" if kind == "a" or not before else share, before)
    for rule, holds in (
        ("max-drop", [-gain <= s for s in known]),
        ("min-gain", [gain >= s for s in known]),
        ("max-gain", [gain <= s for s in known]),
    ):
        judged = judge({rule: amount[kind], "direction": direction}, value, baseline)
        expected = None if all(holds) and kind != "a" and not before else all(holds)
        assert judged.passed is expected, judged.message


@settings(deadline=None)
@given(finite_texts, finite_texts, sizes, st.sampled_from(["max-drop", "min-gain", "max-gain"]))
def test_what_is_said_to_be_needed_would_have_passed(value: str, baseline: str, size: str, rule: str) -> None:
    gate = {rule: size, "direction": "higher"}
    needed = judge(gate, value, baseline).needed.removeprefix("at least ").removeprefix("at most ")
    assert judge(gate, needed, baseline).passed is True


# --- text and verdict agree


@settings(deadline=None)
@given(st.lists(finite_texts.map(Decimal), min_size=2, max_size=5))
def test_figures_keep_the_order_of_the_numbers(numbers: list[Decimal]) -> None:
    shown = [Decimal(text) for text in figures(*numbers)]
    for one, one_shown in zip(numbers, shown, strict=True):
        for other, other_shown in zip(numbers, shown, strict=True):
            assert (one < other) == (one_shown < other_shown)


@settings(deadline=None)
@given(finite_texts.map(Decimal))
def test_exact_text_loses_no_digit_at_all(number: Decimal) -> None:
    assert Decimal(text_of(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.80", "0.8"), ("150.0", "150"), ("-0.0", "0"), ("1E+3", "1000"), ("1e-9", "1E-9"), ("1e30", "1E+30")],
)
def test_exact_text_is_plain_where_it_can_be(number: str, text: str) -> None:
    assert text_of(Decimal(number)) == text


def test_figures_are_rounded_only_as_far_as_they_differ() -> None:
    assert figures(Decimal("0.9649122807017544"), Decimal("0.95")) == ["0.964912", "0.95"]
    assert figures(Decimal("0.79999999999"), Decimal("0.80")) == ["0.79999999999", "0.8"]
    assert figures(Decimal(12345678), Decimal("0.5")) == ["12345678", "0.5"]
    assert figures(Decimal(1234567), Decimal("1234566.9")) == ["1234567", "1234566.9"]


def test_percentages_and_differences_keep_all_digits() -> None:
    assert percent(Decimal("0.0123456789012345678901234567890123")) == "1.23456789012345678901234567890123%"
    assert minus(Decimal("1e20"), Decimal("1e-20")) == Decimal("99999999999999999999.99999999999999999999")


@pytest.mark.parametrize(
    ("gate", "value", "baseline", "message", "needed"),
    [
        ({"min": "0.95"}, "0.9649", None, "score 0.9649 is at least 0.95", "at least 0.95"),
        ({"min": "0.80"}, "0.7999999999", None, "score 0.7999999999 is below 0.8", "at least 0.8"),
        ({"max": "0.05"}, "0.06", None, "score 0.06 is above 0.05", "at most 0.05"),
        ({"range": ["150", "200"]}, "140", None, "score 140 is outside 150 to 200", "from 150 to 200"),
        ({"equals": "171"}, "170", None, "score 170 is not 171", "171"),
        (
            {"equals": "171", "tolerance": "1%"},
            "160",
            None,
            "score 160 is 11 off 171; at most 1.71 (1% of 171) is allowed",
            "from 169.29 to 172.71",
        ),
        (
            {"max-drop": "0.005", "direction": "higher"},
            "0.9712",
            "0.9933",
            "score fell by 0.0221 (from 0.9933 to 0.9712); at most 0.005 is allowed",
            "at least 0.9883",
        ),
        (
            {"max-drop": "10%", "direction": "lower"},
            "0.06",
            "0.07",
            "score fell by 0.01 (from 0.07 to 0.06); a rise of at most 0.007 (10% of the baseline) is allowed",
            "at most 0.077",
        ),
        (
            {"min-gain": {"absolute": "0.02", "relative": "1%"}, "direction": "higher"},
            "0.91",
            "0.9",
            "score rose by 0.01 (from 0.9 to 0.91); at least 0.02 and 0.009 (1% of the baseline) are needed",
            "at least 0.92",
        ),
        (
            {"max-drop": "1%", "direction": "lower"},
            "0",
            "0",
            "score stayed at 0; a share of the baseline 0 is undefined",
            "a baseline other than 0, or an absolute amount alone",
        ),
    ],
)
def test_messages_say_the_figures_of_the_decision(
    gate: dict[str, Any], value: str, baseline: str | None, message: str, needed: str
) -> None:
    judged = judge(gate, value, baseline)
    assert (judged.message, judged.needed) == (message, needed)


# --- limits and the policy


def test_limits_survive_the_trip_through_json() -> None:
    gate = {"max-drop": {"absolute": "0.1234567890123456789012345678901", "relative": "5%"}, "direction": "higher"}
    assert planned(gate).limits == {"max-drop": {"absolute": "0.1234567890123456789012345678901", "relative": 0.05}}
    assert planned({"range": ["1", "2.5"]}).limits == {"range": [1, 2.5]}
    assert planned({"equals": "1", "tolerance": "0"}).limits == {"equals": 1, "tolerance": {"absolute": 0}}


def test_a_relative_tolerance_around_zero_is_refused_in_the_policy() -> None:
    with pytest.raises(Problems) as caught:
        policy_from_text("zero: {metric: bias, equals: 0, tolerance: 1%}", "gates.yaml")
    assert "a share of 0 is not a tolerance" in str(caught.value.problems[0])


@pytest.mark.parametrize("metric", ["neg_log_loss", "test.neg_mean_squared_error", "accuracy_drop", "lossReduction"])
def test_names_that_turn_a_direction_round_have_to_declare_it(metric: str) -> None:
    assert direction_of(GateSpec(metric=metric)) is None


def test_usual_names_still_tell_their_direction() -> None:
    assert direction_of(GateSpec(metric="val_loss")) == "lower"
    assert direction_of(GateSpec(metric="test.roc_auc")) == "higher"
    for metric in ("ndcg@5", "map@10", "urgent/f0.5", "/eval/f2"):
        assert direction_of(GateSpec(metric=metric)) == "higher", metric
    assert direction_of(GateSpec(metric="urgent/false_positive_rate")) == "lower"

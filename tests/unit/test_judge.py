"""What a gate judges: a place, everything that matches a pattern, arithmetic, or several rules together."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action.config.expression import expression_of
from mlops_action.config.load import policy_from_text
from mlops_action.errors import BaselineUnavailable, Problems
from mlops_action.evaluate import evaluate
from mlops_action.gate_plan import plan_gates
from mlops_action.gates.combination import decide
from mlops_action.gates.ratios import rounded
from mlops_action.metrics.baseline import Baseline, Baselines
from mlops_action.records import BaselineIdentity, MetricReading, Verdict
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome

TABLE = yaml.load((Path(__file__).parent / "combinations_truth_table.yaml").read_text(), yaml.BaseLoader)
JUDGED = {"p": True, "f": False, "u": None}
SAYS = {True: "pass", False: "fail", None: "undefined"}


class Known(Baselines):
    """Baselines from memory."""

    def __init__(self, readings: list[MetricReading] | None = None) -> None:
        super().__init__(Path("/nowhere"), Repository(Path("/nowhere"), {}))
        self.readings = readings

    def read(self, locator: str) -> Baseline:
        if self.readings is None:
            raise BaselineUnavailable("there is none")
        return tuple(self.readings), BaselineIdentity(locator, "b.json", "sha256:0")


def reading(name: str, value: str | None, slice_: str = "", origin: str = "") -> MetricReading:
    return MetricReading(name, None if value is None else Decimal(value), origin or f"m.json#/{name}", slice=slice_)


def judged(gate: str, readings: list[MetricReading], baseline: list[MetricReading] | None = None) -> Verdict:
    loaded = policy_from_text(f"gates:\n  g: {gate}\n", "gates.yaml", "b.json")
    [verdict] = evaluate(plan_gates(loaded), readings, Known(baseline)).verdicts
    return verdict


def problem(gate: str) -> str:
    with pytest.raises(Problems) as caught:
        policy_from_text(f"gates:\n  g: {gate}\n", "gates.yaml", "b.json")
    return "; ".join(f"{each.message} {each.hint}" for each in caught.value.problems)


# --- places


def test_a_pointer_names_the_place_in_any_file_or_in_one() -> None:
    twice = [reading("auc", "0.9", origin="a.json#/auc"), reading("auc", "0.7", origin="b.json#/auc")]
    assert judged("{metric: auc, min: 0.8}", twice).outcome is Outcome.INCONCLUSIVE
    assert judged('{metric: "a.json#/auc", min: 0.8}', twice).outcome is Outcome.PASS
    assert judged('{metric: "b.json#/auc", min: 0.8}', twice).outcome is Outcome.FAIL
    assert judged('{metric: "#/auc", min: 0.8}', twice).undecided == "broken"
    assert judged('{metric: "#/auc", min: 0.8}', twice[:1]).outcome is Outcome.PASS


def test_a_pointer_means_the_same_place_in_the_baseline() -> None:
    before = [reading("auc", "0.9", origin="accepted.json#/auc"), reading("x", "1", origin="accepted.json#/x")]
    verdict = judged(
        '{metric: "a.json#/auc", max-drop: 0, direction: higher}', [reading("auc", "0.9", origin="a.json#/auc")], before
    )
    assert (verdict.outcome, verdict.baseline_value) == (Outcome.PASS, Decimal("0.9"))


def test_a_place_where_nothing_is_gives_the_nearest_one() -> None:
    verdict = judged('{metric: "#/acu", min: 0.8}', [reading("auc", "0.9")])
    assert verdict.undecided == "missing"
    assert verdict.hint == "did you mean `#/auc`?"


# --- patterns


THREE = [reading("test.a.auc", "0.9"), reading("test.b.auc", "0.7"), reading("test.b.loss", "1"), reading("auc", "0.1")]


def test_a_pattern_judges_every_metric_that_matches_and_shows_the_worst() -> None:
    verdict = judged("{metric: test.*.auc, min: 0.8}", THREE)
    assert (verdict.outcome, verdict.value, verdict.metric) == (Outcome.FAIL, Decimal("0.7"), "test.*.auc")
    assert verdict.message.startswith("1 of 2 passed, all must: test.b.auc 0.7 is below 0.8")
    assert [(part.name, part.outcome) for part in verdict.parts] == [
        ("test.b.auc", Outcome.FAIL),
        ("test.a.auc", Outcome.PASS),
    ]


def test_a_pattern_passes_only_when_every_match_does() -> None:
    assert judged("{metric: test.*.auc, min: 0.7}", THREE).outcome is Outcome.PASS
    broken = [*THREE, reading("test.c.auc", "NaN")]
    verdict = judged("{metric: test.*.auc, min: 0.7}", broken)
    assert (verdict.outcome, verdict.undecided) == (Outcome.INCONCLUSIVE, "undefined")


def test_a_pattern_that_matches_nothing_is_missing() -> None:
    verdict = judged("{metric: test.*.acc, min: 0.7}", THREE)
    assert (verdict.outcome, verdict.undecided) == (Outcome.INCONCLUSIVE, "missing")


def test_a_pattern_of_slices_judges_each_slice() -> None:
    sliced = [reading("auc", "0.9"), reading("auc", "0.7", "c=NO"), reading("auc", "0.95", "c=SE")]
    verdict = judged('{metric: auc, slice: "c=*", min: 0.8}', sliced)
    assert verdict.outcome is Outcome.FAIL
    assert [part.name for part in verdict.parts] == ["c=NO", "c=SE"]


def test_a_metric_that_is_named_as_a_pattern_looks_is_no_pattern() -> None:
    named = [reading("f1[macro]", "0.9"), reading("f1m", "0.1")]
    verdict = judged('{metric: "f1[macro]", min: 0.8}', named)
    assert (verdict.outcome, verdict.parts) == (Outcome.PASS, ())


def test_what_the_baseline_had_and_the_candidate_lacks_is_not_forgotten() -> None:
    verdict = judged("{metric: test.*.auc, max-drop: 0, direction: higher}", THREE[:1], THREE)
    assert (verdict.outcome, verdict.undecided) == (Outcome.INCONCLUSIVE, "missing")
    assert "`test.b.auc`, and the candidate has not" in verdict.message


def test_too_many_matches_are_not_judged() -> None:
    many = [reading(f"m{i}", "1") for i in range(1001)]
    assert judged('{metric: "m*", min: 0}', many).undecided == "broken"


# --- expressions


NUMBERS = [
    reading("cost", "1"),
    reading("tp", "3"),
    reading("top-1", "0.25"),
    reading("zero", "0"),
    reading("test.auc", "0.5"),
    reading("recall", "0.9", "c=NO"),
    reading("recall", "0.7", "c=SE"),
    reading("nan", "NaN"),
]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("cost / tp", Fraction(1, 3)),
        ("cost + tp * 2 - 1", Fraction(6)),
        ("-(cost - tp) / 4", Fraction(1, 2)),
        ("tp * 0.1 + tp * 0.2", Fraction(9, 10)),
        ("'top-1' * 4", Fraction(1)),
        ("test.auc + 1e-3", Fraction(501, 1000)),
        ('recall["c=NO"] - recall["c=SE"]', Fraction(1, 5)),
        ("max(cost, tp, 7) + min(cost, tp) + abs(cost - tp)", Fraction(10)),
    ],
)
def test_arithmetic_over_metrics_is_exact(expression: str, value: Fraction) -> None:
    shown = rounded(value)
    wanted = f"{{expression: {json.dumps(expression)}, equals: {shown}, tolerance: 0}}"
    verdict = judged(wanted, NUMBERS)
    assert verdict.value == shown
    assert verdict.outcome is (Outcome.PASS if Fraction(shown) == value else Outcome.FAIL)


def test_a_result_without_an_end_is_compared_exactly() -> None:
    """2/3 - 1/6 is a half; rounded to any number of digits it need not be."""
    now, before = [reading("a", "2"), reading("b", "3")], [reading("a", "1"), reading("b", "6")]
    gate = "{expression: a / b, direction: higher, %s}"
    assert judged(gate % "min-gain: 0.5", now, before).outcome is Outcome.PASS
    assert judged(gate % "max-gain: 0.5", now, before).outcome is Outcome.PASS
    assert (
        judged(gate % "min-gain: 0.50000000000000000000000000000000000000000000000000000000001", now, before).outcome
        is Outcome.FAIL
    )
    assert judged(gate % "max-drop: 0", now, now).outcome is Outcome.PASS


@settings(deadline=None, max_examples=60)
@given(*[st.integers(1, 50)] * 4, st.integers(0, 100))
def test_changes_of_ratios_agree_with_fractions(a: int, b: int, c: int, d: int, percent: int) -> None:
    now, before = [reading("a", str(a)), reading("b", str(b))], [reading("a", str(c)), reading("b", str(d))]
    verdict = judged(f"{{expression: a / b, direction: higher, max-drop: {percent}%}}", now, before)
    holds = Fraction(a, b) >= Fraction(c, d) * (1 - Fraction(percent, 100))
    assert verdict.outcome is (Outcome.PASS if holds else Outcome.FAIL)


def test_an_expression_keeps_the_origin_of_all_its_metrics() -> None:
    assert judged("{expression: cost / tp, max: 1}", NUMBERS).reading_origin == "m.json#/cost, m.json#/tp"


def test_a_division_by_zero_is_undefined_and_shows_the_numbers() -> None:
    verdict = judged("{expression: cost / zero, max: 1}", NUMBERS)
    assert (verdict.outcome, verdict.undecided) == (Outcome.INCONCLUSIVE, "undefined")
    assert verdict.message == "`cost / zero` is undefined: a division by 0 (cost 1, zero 0)"


@pytest.mark.parametrize(("name", "kind"), [("nan", "undefined"), ("gone", "missing")])
def test_a_metric_of_an_expression_that_is_not_there_or_no_number_is_told(name: str, kind: str) -> None:
    verdict = judged(f"{{expression: cost / {name}, max: 1}}", NUMBERS)
    assert (verdict.outcome, verdict.undecided) == (Outcome.INCONCLUSIVE, kind)
    assert f"`{name}`" in verdict.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 + 1",
        "a ** 2",
        "a if b else c",
        "__import__('os').system('x')",
        "open('x')",
        "a.b()",
        "(a).b.c()",
        "a[b]",
        "a[1]",
        "a['x']['y']",
        "'a'.b",
        "a, b",
        "lambda: a",
        "a < b",
        "a and b",
        "not a",
        "~a",
        "a // b",
        "a % b",
        "a @ b",
        "[a]",
        "{a}",
        "f'{a}'",
        "b'a' + a",
        "True + a",
        "None + a",
        "1j + a",
        "0x10 + a",
        "1_0 + a",
        "1e99999 + a",
        "abs(a, b)",
        "min(a)",
        "max(*a)",
        "min(a, key=b)",
        "a +",
        "(a",
        "a b",
        "top-1 top",
        "a" * 501,
        "(" * 249 + "a" + ")" * 249,
        "a\0",
    ],
)
def test_what_is_no_arithmetic_over_metrics_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        expression_of(text)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab.+-*/()[]'\"0123456789e _=<>,:{}lambdifor\\\n", max_size=40))
def test_any_text_is_an_expression_or_refused_with_words(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert expression_of(text).operands()


def test_a_refused_expression_is_told_with_its_place() -> None:
    assert "gates.yaml:2:" in str(_problems("{expression: a **, min: 1}")[0])


def _problems(gate: str) -> list[Any]:
    with pytest.raises(Problems) as caught:
        policy_from_text(f"gates:\n  g: {gate}\n", "gates.yaml")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{min: 1}", "neither a `metric` nor an `expression`"),
        ("{metric: a, expression: a, min: 1}", "a `metric` and an `expression`"),
        ("{expression: a, min-gain: 0}", "is a higher or a lower `a` better?"),
        ("{expression: a, slice: c=*, min: 0}", "judged on one slice"),
    ],
)
def test_what_is_judged_is_either_a_metric_or_an_expression(gate: str, said: str) -> None:
    assert said in problem(gate)


# --- combinations


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['judged'] or 'nothing'} of {row['needed']}: {row['why']}")
def test_each_row_of_the_truth_table_of_combinations_holds(row: dict[str, str]) -> None:
    assert SAYS[decide([JUDGED[each] for each in row["judged"]], int(row["needed"]))] == row["says"]


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=6), st.integers(1, 7))
def test_combinations_agree_with_every_way_that_the_doubts_could_end(parts: list[bool | None], needed: int) -> None:
    ways: list[list[bool]] = [[]]
    for part in parts:
        ways = [[*way, value] for way in ways for value in ([True, False] if part is None else [part])]
    ends = {sum(way) >= needed for way in ways}
    assert decide(parts, needed) is (ends.pop() if len(ends) == 1 else None)


PAIR = [reading("precision", "0.9"), reading("recall", "0.6"), reading("f1", "0.7")]
P, R, F, GONE = (
    "{metric: precision, min: 0.9}",
    "{metric: recall, min: 0.8}",
    "{metric: f1, min: 0.7}",
    "{metric: gone, min: 0}",
)


@pytest.mark.parametrize(
    ("gate", "outcome"),
    [
        (f"{{all: [{P}, {F}]}}", Outcome.PASS),
        (f"{{all: [{P}, {R}]}}", Outcome.FAIL),
        (f"{{all: [{P}, {GONE}]}}", Outcome.INCONCLUSIVE),
        (f"{{any: [{P}, {R}]}}", Outcome.PASS),
        (f"{{any: [{R}]}}", Outcome.FAIL),
        (f"{{any: [{R}, {GONE}]}}", Outcome.INCONCLUSIVE),
        (f"{{any: [{P}, {GONE}]}}", Outcome.PASS),
        (f"{{at-least: 2, of: [{P}, {R}, {F}]}}", Outcome.PASS),
        (f"{{at-least: 3, of: [{P}, {R}, {F}]}}", Outcome.FAIL),
        ('{at-least: 2, of: [{metric: "*", min: 0.7}]}', Outcome.PASS),
        ('{at-least: 3, of: [{metric: "*", min: 0.7}]}', Outcome.FAIL),
        ('{all: [{metric: "*", min: 0.6}]}', Outcome.PASS),
        ('{all: [{metric: "*", min: 0.7}]}', Outcome.FAIL),
    ],
)
def test_rules_together_say_what_their_parts_say(gate: str, outcome: Outcome) -> None:
    assert judged(gate, PAIR).outcome is outcome


def test_a_combination_tells_every_part_and_shows_what_decided() -> None:
    verdict = judged(f"{{any: [{P}, {R}, {GONE}]}}", PAIR)
    assert (verdict.rule, verdict.value, verdict.undecided) == ("any", Decimal("0.9"), "")
    assert verdict.limit == "at least 1 of 3 rules"
    assert {part.name: part.outcome for part in verdict.parts} == {
        "precision": Outcome.PASS,
        "recall": Outcome.FAIL,
        "gone": Outcome.INCONCLUSIVE,
    }
    assert verdict.message.startswith("1 of 3 passed, at least 1 must: ")


def test_the_gravest_doubt_of_a_combination_is_its_doubt() -> None:
    nan = [*PAIR, reading("nan", "NaN")]
    assert judged(f"{{all: [{GONE}, {{metric: nan, min: 0}}]}}", nan).undecided == "missing"
    assert judged("{all: [{metric: nan, min: 0}]}", nan).undecided == "undefined"


def test_the_policy_of_a_combination_is_that_of_the_gate() -> None:
    assert judged(f"{{all: [{P}, {GONE}], on-missing: warn}}", PAIR).outcome is Outcome.WARN
    assert judged(f"{{all: [{R}], severity: warn}}", PAIR).outcome is Outcome.WARN


def test_rules_of_a_combination_compare_with_their_own_baselines() -> None:
    gate = "{all: [{metric: recall, max-drop: 0}, {metric: f1, max-drop: 0.05}]}"
    before = [reading("recall", "0.6"), reading("f1", "0.75")]
    assert judged(gate, PAIR, before).outcome is Outcome.PASS
    assert judged(gate, PAIR, [reading("recall", "0.7"), before[1]]).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{all: []}", "asks for some of 0 rules"),
        (f"{{at-least: 2, of: [{P}]}}", "asks for 2 of 1 rules"),
        (f"{{at-least: 0, of: [{P}]}}", "asks for 0 of 1 rules"),
        (f"{{all: [{P}], metric: a}}", "`metric` belongs to the rules in `all`"),
        (f"{{all: [{P}], min: 0.5}}", "exactly one rule, found `min`, `all`"),
        (f"{{any: [{P}], baseline: x.json}}", "`baseline` belongs to the rules in `any`"),
        (f"{{of: [{P}], metric: a, min: 1}}", "`at-least` and `of` belong together"),
        ("{at-least: 1}", "`at-least` and `of` belong together"),
        ("{all: [{metric: a}]}", "rule 1 of `all` must have exactly one rule"),
        ("{all: [{metric: a, min-gain: 0}]}", "a higher or a lower `a` better?"),
        ("{all: [{metric: a, min: 0, severity: warn}]}", "unknown key `severity`"),
        ("{all: [{all: [{metric: a, min: 0}]}]}", "unknown key `all`"),
    ],
)
def test_combinations_that_make_no_sense_are_refused(gate: str, said: str) -> None:
    assert said in problem(gate)


def test_a_plan_that_does_not_say_how_many_must_pass_never_passes() -> None:
    loaded = policy_from_text(f"gates:\n  g: {{any: [{P}]}}\n", "gates.yaml")
    [gate] = plan_gates(loaded)
    for limits in ({}, None, {"any": "1"}, {"any": 0}, {"any": True}):
        assert evaluate([replace(gate, limits=limits)], PAIR, Known()).outcome is Outcome.INCONCLUSIVE
    assert evaluate([replace(gate, combined=())], PAIR, Known()).outcome is Outcome.INCONCLUSIVE

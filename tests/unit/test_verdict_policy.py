"""What a verdict means for the merge: severity, and what a gate says when it cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.config.load import policy_from_text
from mlops_action.ending import exit_code
from mlops_action.errors import BaselineMissing, BaselineUnavailable, ExitCode, Problems
from mlops_action.evaluate import evaluate
from mlops_action.gate_plan import plan_gates
from mlops_action.judgement.verdict_policy import hardest, overall, settle
from mlops_action.judgement.waivers import NO_WAIVERS
from mlops_action.metrics.baseline import Baseline, Baselines
from mlops_action.records import MetricReading, PlannedGate, Verdict, Verdicts
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome, Undecided

NOWHERE = Path("/nowhere")


class NoBaseline(Baselines):
    """Says why there is none."""

    def __init__(self, problem: BaselineUnavailable) -> None:
        super().__init__(NOWHERE, Repository(NOWHERE, {}))
        self.problem = problem

    def read(self, locator: str) -> Baseline:
        raise self.problem


MISSING = NoBaseline(BaselineMissing("the baseline old.json cannot be read: there is no such file"))
DAMAGED = NoBaseline(BaselineUnavailable("the baseline is not readable"))


def planned(text: str) -> tuple[PlannedGate, ...]:
    return plan_gates(policy_from_text(text, "gates.yaml"))


def judged(text: str, baselines: Baselines = MISSING, **values: Any) -> Verdicts:
    readings = [MetricReading(name, None if v is None else Decimal(v), f"m.json#/{name}") for name, v in values.items()]
    return evaluate(planned(text), readings, baselines)


def only(text: str, baselines: Baselines = MISSING, **values: Any) -> Verdict:
    return judged(text, baselines, **values).verdicts[0]


# --- on-missing, on-undefined, on-inconclusive


@pytest.mark.parametrize(
    ("gate", "kind"),
    [
        ("{metric: gone, min: 1}", Undecided.MISSING),
        ("{metric: auc, slice: a=b, min: 1}", Undecided.MISSING),
        ("{metric: auc, max-drop: 0, baseline: old.json}", Undecided.MISSING),
        ("{metric: nan, min: 1}", Undecided.UNDEFINED),
        ("{metric: inf, min: 1}", Undecided.UNDEFINED),
        ("{metric: none, min: 1}", Undecided.UNDEFINED),
        ("{metric: auc, equals: 0, tolerance: {absolute: 2, relative: 1%}}", None),
    ],
)
def test_each_kind_of_gap_has_a_key_of_its_own(gate: str, kind: Undecided | None) -> None:
    if kind is None:
        with pytest.raises(Problems):
            only(f"g: {gate}", auc=1)
        return
    values = {"auc": 1, "nan": "NaN", "inf": "-Infinity", "none": None}
    assert only(f"g: {gate}", **values).outcome is Outcome.INCONCLUSIVE
    for key in ("missing", "undefined", "inconclusive"):
        for word, outcome in (("fail", Outcome.FAIL), ("warn", Outcome.WARN)):
            verdict = only(f"g: {gate[:-1]}, on-{key}: {word}}}", **values)
            assert verdict.undecided == kind
            assert verdict.outcome is (outcome if kind == key else Outcome.INCONCLUSIVE)
            assert verdict.message


SOFT = "on-missing: warn, on-undefined: warn, on-inconclusive: warn"


def test_what_is_broken_stays_inconclusive_whatever_the_policy_says() -> None:
    twice = [MetricReading("auc", Decimal(1), "a.json"), MetricReading("auc", Decimal(1), "b.json")]
    gates = planned(f"g: {{metric: auc, min: 0, {SOFT}}}")
    assert evaluate(gates, twice, MISSING).verdicts[0].outcome is Outcome.INCONCLUSIVE
    damaged = only(f"g: {{metric: auc, max-drop: 1, baseline: old.json, {SOFT}}}", DAMAGED, auc=1)
    assert (damaged.outcome, damaged.undecided) == (Outcome.INCONCLUSIVE, "broken")
    for broken in (replace(gates[0], rule="maximum"), replace(gates[0], limits={})):
        assert evaluate([broken], twice[:1], MISSING).verdicts[0].outcome is Outcome.INCONCLUSIVE


def test_comparing_a_file_with_itself_cannot_be_softened(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"auc": 0.9}')
    gates = planned(f"g: {{metric: auc, max-drop: 1, baseline: m.json, {SOFT}}}")
    baselines = Baselines(tmp_path, Repository(tmp_path, {}))
    verdicts = evaluate(gates, [MetricReading("auc", Decimal(0), "m.json#/auc")], baselines)
    assert verdicts.outcome is Outcome.INCONCLUSIVE


def test_a_gate_never_says_pass_when_it_cannot_be_judged() -> None:
    with pytest.raises(Problems, match="problem") as caught:
        planned("g: {metric: auc, min: 1, on-missing: pass}")
    assert "`inconclusive`, `fail`, `warn`" in str(caught.value.problems[0])


def test_all_gates_softened_to_warn_and_none_evaluated_is_inconclusive() -> None:
    verdicts = judged(f"{{a: {{metric: gone, min: 1, {SOFT}}}, b: {{metric: nan, min: 1, {SOFT}}}}}", nan="NaN")
    assert [each.outcome for each in verdicts.verdicts] == [Outcome.WARN, Outcome.WARN]
    assert verdicts.outcome is Outcome.INCONCLUSIVE
    assert exit_code(None, verdicts) is ExitCode.INCONCLUSIVE


def test_of_several_gaps_the_one_that_the_policy_takes_hardest_counts() -> None:
    words = "on-missing: warn, on-undefined: fail"
    both = f"g: {{all: [{{metric: gone, min: 1}}, {{metric: nan, min: 1}}], {words}}}"
    assert only(both, nan="NaN").outcome is Outcome.FAIL
    gate = planned("g: {metric: m, min: 1, on-missing: warn, on-inconclusive: fail}")[0]
    assert hardest(gate, ["missing", "broken"]) == "broken"
    assert hardest(gate, ["missing", "broken", "inconclusive"]) == "inconclusive"
    assert hardest(gate, ["nonsense"]) == "broken"
    assert hardest(gate, []) == "broken"


# --- severity


def test_severity_info_reports_and_does_not_count() -> None:
    verdicts = judged("{a: {metric: auc, min: 2, severity: info}, b: {metric: auc, min: 0.5}}", auc=1)
    first = verdicts.verdicts[0]
    assert (first.outcome, first.message, first.needed) == (Outcome.INFO, "auc 1 is below 2", "at least 2")
    assert (verdicts.outcome, verdicts.reason) == (Outcome.PASS, "2 gates: 1 for information only, 1 passed.")


def test_severity_info_of_a_metric_that_is_gone_does_not_block() -> None:
    verdicts = judged("{a: {metric: gone, min: 2, severity: info}, b: {metric: auc, min: 0.5}}", auc=1)
    assert (verdicts.verdicts[0].outcome, verdicts.outcome) == (Outcome.INFO, Outcome.PASS)


def test_gates_that_only_inform_do_not_make_a_merge_green() -> None:
    verdicts = judged("{a: {metric: auc, min: 2, severity: info}}", auc=1)
    assert verdicts.outcome is Outcome.INCONCLUSIVE
    assert verdicts.reason == "1 gate: 1 for information only. But none of them could block."


def test_a_gate_for_information_makes_up_for_nothing() -> None:
    assert judged("{a: {metric: auc, min: 0.5, severity: info}}", auc=1).outcome is Outcome.INCONCLUSIVE
    for limit in (0.5, 2):
        text = f"{{a: {{metric: auc, min: {limit}, severity: info}}, b: {{metric: gone, min: 1, severity: warn}}}}"
        assert judged(text, auc=1).outcome is Outcome.INCONCLUSIVE


def test_a_failing_gate_beside_one_for_information_still_blocks() -> None:
    verdicts = judged("{a: {metric: auc, min: 2}, b: {metric: auc, min: 3, severity: info}}", auc=1)
    assert verdicts.outcome is Outcome.FAIL


# --- laws

outcomes = st.sampled_from([Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE])
words = st.sampled_from(["inconclusive", "fail", "warn", "pass", "", "info"])


@given(
    st.lists(
        st.tuples(
            outcomes,
            st.sampled_from(["block", "warn", "info", "", "nonsense"]),
            st.sampled_from([*map(str, Undecided), "", "nonsense"]),
            words,
            words,
            words,
        ),
        max_size=4,
    )
)
def test_nothing_is_green_unless_a_gate_was_evaluated(given_gates: list[tuple[Any, ...]]) -> None:
    """Whatever the words of a policy are, even words that it does not have."""
    verdicts = []
    for outcome, severity, kind, missing, undefined, unsure in given_gates:
        gate = PlannedGate("g", "m", "min", {}, "x", "", "", severity, "", missing, undefined, unsure)
        undecided = kind if outcome is Outcome.INCONCLUSIVE else ""
        settled = settle(gate, Verdict("g", outcome, "m", "why", "min", severity, "x", undecided=undecided), NO_WAIVERS)
        assert (settled.outcome is Outcome.PASS) == (outcome is Outcome.PASS)
        verdicts.append(settled)
    worst, _ = overall(verdicts)
    if worst in {Outcome.PASS, Outcome.WARN}:
        assert any(not each.undecided and each.severity != "info" for each in verdicts)
        assert not any(
            o is not Outcome.PASS and s == "block" and k == "broken"
            for o, s, k, *_ in given_gates
            if o is Outcome.INCONCLUSIVE
        )
    if any(o is Outcome.FAIL and s == "block" for o, s, *_ in given_gates):
        assert worst is Outcome.FAIL

"""Verdicts: what cannot be judged is inconclusive, whatever the reason."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action import __version__
from mlops_action.codec import decode, encode
from mlops_action.errors import BaselineUnavailable
from mlops_action.evaluate import evaluate, evaluate_run
from mlops_action.gates import RULES
from mlops_action.metrics.baseline import Baseline, Baselines
from mlops_action.records import (
    BaselineIdentity,
    MetricReading,
    Plan,
    PlannedGate,
    RunResult,
    StepResult,
    Verdict,
    Verdicts,
)
from mlops_action.repository import Repository
from mlops_action.vocabulary import VERDICTS_SCHEMA, Outcome, StepStatus

HASH = "sha256:" + "0" * 64


class KnownBaselines(Baselines):
    """Baselines that were read already; it has no repository to ask."""

    def __init__(self, root: Path = Path("/nowhere"), **known: list[MetricReading]) -> None:
        super().__init__(root, Repository(root, {}))
        self.known = known
        self.asked: list[str] = []

    def read(self, locator: str) -> Baseline:
        self.asked.append(locator)
        if locator not in self.known:
            raise BaselineUnavailable("the baseline's commit is not here", hint="run `git fetch`")
        return tuple(self.known[locator]), BaselineIdentity(locator, f"git:abc:{locator}", HASH)


def reading(name: str, value: str | None, origin: str = "m.json#/x", **more: str) -> MetricReading:
    return MetricReading(name, None if value is None else Decimal(value), origin, **more)


def gate(name: str = "g", metric: str = "auc", **more: Any) -> PlannedGate:
    given = {"rule": "min", "limits": {more.get("rule", "min"): 0.9}, "origin": "mlops.yaml:3:3"}
    return PlannedGate(name, metric, **{**given, **more})


def drop(name: str = "d", **more: Any) -> PlannedGate:
    return gate(name, **{"rule": "max-drop", "limits": {"max-drop": {"absolute": 0.01}}, "baseline": "base"} | more)


def higher(name: str = "d", **more: Any) -> PlannedGate:
    return drop(name, direction="higher", **more)


def only(one: PlannedGate, readings: list[MetricReading], baselines: Baselines | None = None) -> Verdict:
    [verdict] = evaluate([one], readings, baselines or KnownBaselines()).verdicts
    return verdict


# --- verdicts


def test_a_gate_that_passes_tells_its_grounds() -> None:
    assert only(gate(), [reading("auc", "0.95")]) == Verdict(
        gate="g",
        outcome=Outcome.PASS,
        metric="auc",
        message="auc 0.95 is at least 0.9",
        rule="min",
        severity="block",
        origin="mlops.yaml:3:3",
        value=Decimal("0.95"),
        limit="at least 0.9",
        needed="at least 0.9",
        reading_origin="m.json#/x",
    )


def test_a_gate_that_fails_tells_what_was_needed() -> None:
    verdict = only(gate(), [reading("auc", "0.8")])
    assert (verdict.outcome, verdict.message, verdict.needed) == (Outcome.FAIL, "auc 0.8 is below 0.9", "at least 0.9")


def test_a_change_tells_the_baseline_and_where_it_came_from() -> None:
    verdict = only(higher(), [reading("auc", "0.89")], KnownBaselines(base=[reading("auc", "0.9")]))
    assert verdict.outcome is Outcome.PASS
    assert verdict.baseline_value == Decimal("0.9")
    assert verdict.baseline == BaselineIdentity("base", "git:abc:base", HASH)


def test_absolute_rules_do_not_ask_for_a_baseline() -> None:
    baselines = KnownBaselines()
    only(gate(baseline="base"), [reading("auc", "1")], baselines)
    assert baselines.asked == []


# --- what cannot be judged


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("value", [None, "NaN", "-NaN", "sNaN", "NaN123", "Infinity", "-Infinity"])
def test_a_candidate_without_a_finite_number_never_passes(name: str, value: str | None) -> None:
    one = gate(rule=name, limits={name: 0}, baseline="base", direction="higher")
    verdict = only(one, [reading("auc", value)], KnownBaselines(base=[reading("auc", "0")]))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "m.json#/x" in verdict.message
    assert verdict.reading_origin == "m.json#/x"


@pytest.mark.parametrize("name", ["max-drop", "min-gain", "max-gain"])
@pytest.mark.parametrize("value", [None, "NaN", "Infinity", "-Infinity"])
def test_a_baseline_without_a_finite_number_never_passes(name: str, value: str | None) -> None:
    one = gate(rule=name, limits={name: 0}, baseline="base", direction="higher")
    verdict = only(one, [reading("auc", "1")], KnownBaselines(base=[reading("auc", value, "base#/auc")]))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.message.startswith("the baseline base: `auc` ")
    assert verdict.value == Decimal(1)


def test_an_unknown_metric_is_inconclusive_with_the_nearest_name() -> None:
    verdict = only(gate(metric="acuracy"), [reading("accuracy", "1"), reading("loss", "0")])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert (verdict.message, verdict.hint) == ("there is no metric `acuracy`", "did you mean `accuracy`?")


def test_a_hint_does_not_list_a_thousand_names() -> None:
    assert len(only(gate(metric="zzz"), [reading(f"metric{i}", "1") for i in range(1000)]).hint) < 320


def test_no_readings_at_all_are_inconclusive() -> None:
    verdict = only(gate(), [])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no metric was read at all" in verdict.message


def test_a_metric_from_two_places_is_inconclusive_naming_both() -> None:
    verdict = only(gate(), [reading("auc", "1", "a.json#/auc", step="fit"), reading("auc", "1", "b.json#/auc")])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.message == "`auc` was read 2 times, from a.json#/auc (step fit), b.json#/auc"
    assert verdict.value is None


def test_slices_tell_readings_of_one_name_apart() -> None:
    sliced = [reading("auc", "0.95"), reading("auc", "0.5", slice="c=NO"), reading("auc", "0.93", slice="c=SE")]
    assert only(gate(slice="c=NO"), sliced).outcome is Outcome.FAIL
    assert only(gate(slice="c=SE"), sliced).outcome is Outcome.PASS
    assert only(gate(), sliced).value == Decimal("0.95")


def test_a_slice_that_was_not_measured_is_inconclusive() -> None:
    verdict = only(gate(slice="c=N0"), [reading("auc", "1"), reading("auc", "1", slice="c=NO")])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.message == "`auc` was not measured on the slice `c=N0`"
    assert verdict.hint == "did you mean `c=NO`?"


def test_a_gate_on_all_rows_does_not_take_a_slice_instead() -> None:
    verdict = only(gate(), [reading("auc", "1", slice="c=NO")])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.message == "`auc` was measured on slices only"


def test_a_baseline_must_have_the_same_slice() -> None:
    baselines = KnownBaselines(base=[reading("auc", "0.9")])
    verdict = only(higher(slice="c=NO"), [reading("auc", "0.9", slice="c=NO")], baselines)
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_a_baseline_that_cannot_be_read_is_inconclusive_with_its_remedy() -> None:
    verdict = only(higher(baseline="gone"), [reading("auc", "1")])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert (verdict.message, verdict.hint) == ("the baseline's commit is not here", "run `git fetch`")


def test_a_metric_that_the_baseline_lacks_is_inconclusive() -> None:
    verdict = only(higher(), [reading("auc", "1")], KnownBaselines(base=[reading("acc", "1")]))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.message == "the baseline base: there is no metric `auc`"
    assert verdict.baseline is not None


def test_a_file_is_not_compared_with_itself(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"auc": 0.9}')
    baselines = Baselines(tmp_path, Repository(tmp_path, {}))
    verdict = only(higher(baseline="m.json"), [reading("auc", "0.9", "m.json#/auc")], baselines)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "very file" in verdict.message


def test_a_share_of_a_zero_baseline_is_inconclusive() -> None:
    one = higher(limits={"max-drop": {"relative": 0.1}})
    verdict = only(one, [reading("auc", "1")], KnownBaselines(base=[reading("auc", "0.0")]))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "undefined" in verdict.message
    assert "absolute" in verdict.needed


@pytest.mark.parametrize(
    "broken",
    [
        gate(rule="minimum"),
        gate(rule=""),
        gate(limits={}),
        gate(limits=None),
        gate(limits={"min": "NaN"}),
        drop(direction="up"),
        drop(direction=""),
        higher(baseline=""),
        higher(limits={"max-drop": {}}),
    ],
)
def test_a_gate_that_makes_no_sense_is_inconclusive(broken: PlannedGate) -> None:
    verdict = only(broken, [reading("auc", "1")], KnownBaselines(base=[reading("auc", "1")]))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.message


# --- severity and the overall outcome

PASS, FAIL, LOST = gate("pass"), gate("fail", limits={"min": 2}), gate("lost", metric="nothing")


def warned(one: PlannedGate) -> PlannedGate:
    return PlannedGate(**{**vars(one), "severity": "warn"})


@pytest.mark.parametrize(("one", "said"), [(FAIL, "auc 1 is below 2"), (LOST, "there is no metric `nothing`")])
def test_severity_warn_only_warns_and_still_says_what_happened(one: PlannedGate, said: str) -> None:
    verdict = only(warned(one), [reading("auc", "1")])
    assert (verdict.outcome, verdict.message) == (Outcome.WARN, said)


def test_severity_warn_does_not_touch_a_pass() -> None:
    assert only(warned(PASS), [reading("auc", "1")]).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("gates", "outcome", "reason"),
    [
        ([], Outcome.INCONCLUSIVE, "There was no gate to evaluate."),
        ([PASS], Outcome.PASS, "1 gate: 1 passed."),
        ([PASS, PASS], Outcome.PASS, "2 gates: 2 passed."),
        ([PASS, warned(FAIL)], Outcome.WARN, "2 gates: 1 warned, 1 passed."),
        ([PASS, warned(LOST)], Outcome.WARN, "2 gates: 1 warned, 1 passed."),
        ([PASS, warned(FAIL), LOST], Outcome.INCONCLUSIVE, "3 gates: 1 inconclusive, 1 warned, 1 passed."),
        ([LOST, FAIL, PASS], Outcome.FAIL, "3 gates: 1 failed, 1 inconclusive, 1 passed."),
    ],
)
def test_the_worst_blocking_verdict_is_the_outcome(gates: list[PlannedGate], outcome: Outcome, reason: str) -> None:
    verdicts = evaluate(gates, [reading("auc", "1")], KnownBaselines())
    assert (verdicts.outcome, verdicts.reason) == (outcome, reason)


def test_gates_that_only_warn_do_not_make_nothing_measured_green() -> None:
    assert evaluate([warned(LOST), warned(LOST)], [reading("auc", "1")], KnownBaselines()).outcome is (
        Outcome.INCONCLUSIVE
    )


def test_verdicts_keep_the_order_of_the_policy() -> None:
    verdicts = evaluate([LOST, PASS, FAIL], [reading("auc", "1")], KnownBaselines())
    assert [verdict.gate for verdict in verdicts.verdicts] == ["lost", "pass", "fail"]
    assert (verdicts.schema, verdicts.tool) == (VERDICTS_SCHEMA, __version__)


def test_verdicts_survive_the_trip_through_json() -> None:
    readings = [reading("auc", "0.1234567890123456789012"), reading("nan", "NaN")]
    verdicts = evaluate([PASS, FAIL, LOST, gate("n", "nan")], readings, KnownBaselines())
    back = decode(Verdicts, json.loads(json.dumps(encode(verdicts))), "verdicts.json")
    assert repr(back) == repr(verdicts)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(RULES)),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=3),
        lambda inside: (
            st.lists(inside, max_size=2)
            | st.dictionaries(st.sampled_from([*RULES, "tolerance", "absolute", "relative"]), inside, max_size=3)
        ),
        max_leaves=5,
    ),
    st.sampled_from([None, "NaN", "inf", "0", "-0", "1e999999999", "0.5"]),
)
def test_bad_data_never_raises_and_never_passes_without_a_number(rule: str, limits: Any, value: str | None) -> None:
    one = gate(rule=rule, limits=limits, direction="higher", baseline="base")
    verdict = only(one, [reading("auc", value)], KnownBaselines(base=[reading("auc", "0.5")]))
    if value in {None, "NaN", "inf"} or not isinstance(limits, dict) or rule not in limits:
        assert verdict.outcome is Outcome.INCONCLUSIVE


# --- a whole run


def step(name: str, status: StepStatus = StepStatus.OK, *readings: MetricReading) -> StepResult:
    return StepResult(name, status, readings=readings)


def run_of(*steps: StepResult) -> RunResult:
    return RunResult("mlops-action/run/v1", "0", "", "", Plan("", "", "", (), ()), steps)


def test_a_run_is_judged_on_what_all_its_steps_measured() -> None:
    run = run_of(step("train"), step("evaluate", StepStatus.OK, reading("auc", "0.95")))
    assert evaluate_run([gate()], run, KnownBaselines()).outcome is Outcome.PASS


def test_a_run_with_a_failed_step_never_passes_though_its_gates_do() -> None:
    run = run_of(step("evaluate", StepStatus.OK, reading("auc", "0.95")), step("plot", StepStatus.FAILED))
    verdicts = evaluate_run([gate()], run, KnownBaselines())
    assert verdicts.outcome is Outcome.INCONCLUSIVE
    assert "`plot`" in verdicts.reason


def test_gates_that_only_warn_do_not_make_an_unmeasured_run_green() -> None:
    verdicts = evaluate([warned(LOST)], [reading("auc", "0.95")], KnownBaselines())
    assert verdicts.outcome is Outcome.INCONCLUSIVE
    assert "none of them could be evaluated" in verdicts.reason

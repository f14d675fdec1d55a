"""Waivers: what they allow, and what becomes of those that do not hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlops_action.config.load import policy_from_text
from mlops_action.config.waivers import with_waivers
from mlops_action.errors import Problems
from mlops_action.evaluate import evaluate
from mlops_action.gate_plan import plan_gates
from mlops_action.judgement.waivers import WaiverBook
from mlops_action.metrics.baseline import Baseline, Baselines
from mlops_action.records import BaselineIdentity, Evidence, MetricReading, Part, PlannedGate, Verdict, Verdicts, Waiver
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome, Undecided, WaiverState

TODAY = date(2026, 11, 29)
NOWHERE = Path("/nowhere")


class Old(Baselines):
    """A baseline that is known."""

    def __init__(self) -> None:
        super().__init__(NOWHERE, Repository(NOWHERE, {}))

    def read(self, locator: str) -> Baseline:
        return (MetricReading("auc", Decimal("0.9"), "old.json#/auc"),), BaselineIdentity(locator, locator, "sha256:0")


def waiver(gate: str = "g", expires: str = "2026-12-31", **more: Any) -> Waiver:
    bounds = {key: Decimal(more.pop(key)) for key in ("down_to", "up_to") if key in more}
    return Waiver(gate, "harder test set", "Kari", expires, "waivers.yaml:2:5", **bounds, **more)


def judged(gate: str, value: str | None, *waivers: Waiver) -> Verdicts:
    gates = plan_gates(policy_from_text(f"g: {gate}", "gates.yaml", "old.json"))
    readings = [MetricReading("auc", None if value is None else Decimal(value), "m.json#/auc")]
    return evaluate(gates, readings, Old(), WaiverBook(waivers, TODAY, 90))


FLOOR = "{metric: auc, min: 0.9}"


def test_a_waived_gate_warns_and_names_its_waiver() -> None:
    verdicts = judged(FLOOR, "0.85", waiver(down_to="0.83"))
    [verdict] = verdicts.verdicts
    assert (verdict.outcome, verdict.message) == (Outcome.WARN, "auc 0.85 is below 0.9")
    assert [use.waiver.approver for use in verdict.waivers] == ["Kari"]
    assert verdicts.waivers[0].state is WaiverState.USED
    assert verdicts.reason == "1 gate: 1 waived."


@pytest.mark.parametrize(("value", "outcome"), [("0.83", Outcome.WARN), ("0.8299999999999", Outcome.FAIL)])
def test_a_bound_is_inclusive_and_exact(value: str, outcome: Outcome) -> None:
    assert judged(FLOOR, value, waiver(down_to="0.83")).outcome is outcome


@pytest.mark.parametrize("value", [None, "NaN", "-Infinity"])
def test_what_could_not_be_measured_is_never_waived(value: str | None) -> None:
    for words in ("", ", on-undefined: fail"):
        verdicts = judged(FLOOR[:-1] + words + "}", value, waiver(down_to="-1e9", up_to="1e9"))
        assert verdicts.outcome in {Outcome.INCONCLUSIVE, Outcome.FAIL}
        assert verdicts.verdicts[0].waivers == ()


@pytest.mark.parametrize(
    ("gate", "value", "right", "wrong"),
    [
        (FLOOR, "0.85", "down_to", "up_to"),
        ("{metric: auc, max: 0.8}", "0.85", "up_to", "down_to"),
        ("{metric: auc, max-drop: 0, direction: higher}", "0.85", "down_to", "up_to"),
        ("{metric: auc, min-gain: 0.2, direction: lower}", "0.85", "up_to", "down_to"),
        ("{metric: auc, range: [0.9, 1]}", "0.85", "down_to", "up_to"),
        ("{metric: auc, range: [0.1, 0.5]}", "0.85", "up_to", "down_to"),
        ("{metric: auc, equals: 0.9}", "0.85", "down_to", "up_to"),
        ("{metric: auc, equals: 0.8, tolerance: 1%}", "0.85", "up_to", "down_to"),
    ],
)
def test_a_bound_on_the_side_where_its_gate_does_not_fail_is_no_bound(
    gate: str, value: str, right: str, wrong: str
) -> None:
    assert judged(gate, value, waiver(**{right: value})).outcome is Outcome.WARN
    verdicts = judged(gate, value, waiver(**{wrong: value}))
    assert verdicts.outcome is Outcome.FAIL
    assert verdicts.waivers[0].state is WaiverState.UNBOUNDED


@pytest.mark.parametrize("bound", ["0", "-0.1", "-1e9"])
def test_a_bound_that_the_metric_can_never_cross_is_no_bound(bound: str) -> None:
    verdicts = judged(FLOOR, "0.85", waiver(down_to=bound))
    assert verdicts.outcome is Outcome.FAIL
    assert verdicts.waivers[0].state is WaiverState.UNBOUNDED


def test_a_bound_is_believed_where_the_value_shows_that_the_name_means_something_else() -> None:
    gates = plan_gates(policy_from_text("g: {metric: error_rate, max: 5}", "gates.yaml"))
    readings = [MetricReading("error_rate", Decimal("6.5"), "m.json")]
    book = WaiverBook((waiver(up_to="7"),), TODAY, 90)
    assert evaluate(gates, readings, Old(), book).outcome is Outcome.WARN


@pytest.mark.parametrize(
    ("rule", "side"),
    [("max-gain: 0.1", "up_to"), ("ratchet: 0.01, history: h.jsonl", "down_to")],
)
def test_rules_that_compare_know_on_which_side_they_fail(rule: str, side: str) -> None:
    gate = plan_gates(policy_from_text(f"g: {{metric: auc, {rule}}}", "gates.yaml", "old.json"))[0]
    failed = Verdict("g", Outcome.FAIL, "auc", "", gate.rule, "block", "x", Decimal("0.85"))
    other = {"up_to": "down_to", "down_to": "up_to"}[side]
    assert WaiverBook((waiver(**{side: "0.85"}),), TODAY, 90).waive(gate, failed).outcome is Outcome.WARN
    assert WaiverBook((waiver(**{other: "0.85"}),), TODAY, 90).waive(gate, failed).outcome is Outcome.FAIL


@pytest.mark.parametrize("name", ["/etc/waivers.yaml", "../waivers.yaml", "a/../../w.yaml", "..\\w.yaml"])
def test_a_file_of_waivers_outside_of_the_project_is_refused(name: str) -> None:
    loaded = policy_from_text(f"waivers: '{name}'\ngates: {{g: {FLOOR}}}", "gates.yaml")
    with pytest.raises(Problems) as caught:
        with_waivers(loaded, lambda *_: b"waivers: []")
    assert "leaves the project folder" in str(caught.value.problems[0])


def test_an_expired_waiver_fails_though_its_gate_passes() -> None:
    verdicts = judged(FLOOR, "0.95", waiver(expires="2026-11-28", down_to="0.83"))
    assert [each.outcome for each in verdicts.verdicts] == [Outcome.PASS, Outcome.FAIL]
    assert verdicts.verdicts[1].message == "the waiver by Kari ended on 2026-11-28"
    assert verdicts.verdicts[1].origin == "waivers.yaml:2:5"
    assert (verdicts.outcome, verdicts.reason) == (Outcome.FAIL, "1 gate: 1 passed. 1 waiver does not hold.")


def test_a_waiver_holds_on_its_last_day_and_not_longer_than_the_policy_allows() -> None:
    assert judged(FLOOR, "0.85", waiver(expires="2026-11-29", down_to="0.8")).outcome is Outcome.WARN
    assert judged(FLOOR, "0.85", waiver(expires="2027-02-27", down_to="0.8")).outcome is Outcome.WARN
    verdicts = judged(FLOOR, "0.85", waiver(expires="2027-02-28", down_to="0.8"))
    assert verdicts.outcome is Outcome.FAIL
    assert [use.state for use in verdicts.waivers] == [WaiverState.UNBOUNDED]
    assert verdicts.verdicts[0].outcome is Outcome.FAIL


def test_a_waiver_that_is_not_needed_is_listed_and_does_no_harm() -> None:
    verdicts = judged(FLOOR, "0.95", waiver(down_to="0.83"))
    assert (verdicts.outcome, verdicts.waivers[0].state) == (Outcome.PASS, WaiverState.UNUSED)


def test_a_waiver_for_a_slice_that_its_gate_does_not_judge_is_orphaned() -> None:
    verdicts = judged(FLOOR, "0.85", waiver(down_to="0.83", slice="country=NO"))
    assert verdicts.verdicts[0].outcome is Outcome.FAIL
    assert verdicts.waivers[0].state is WaiverState.ORPHANED


def test_a_waiver_for_another_gate_changes_nothing() -> None:
    verdicts = judged(FLOOR, "0.85", waiver("other", down_to="0"))
    assert verdicts.verdicts[0].outcome is Outcome.FAIL


def test_waivers_do_not_lift_severity_info_to_a_warning() -> None:
    verdicts = judged("{metric: auc, min: 0.9, severity: info}", "0.85", waiver(down_to="0.8"))
    assert verdicts.verdicts[0].outcome is Outcome.INFO


# --- gates with parts

GATE = PlannedGate("g", "auc", "min", {"min": 0.9}, "gates.yaml:1:1")


def of_parts(*parts: Part, outcome: Outcome = Outcome.FAIL) -> Verdict:
    return Verdict("g", outcome, "auc", "why", "min", "block", "gates.yaml:1:1", parts=parts)


def part(name: str, value: str, outcome: Outcome = Outcome.FAIL, counted: bool = True) -> Part:
    return Part(name, outcome, value=Decimal(value), counted=counted)


def waived(verdict: Verdict, *waivers: Waiver) -> Verdict:
    return WaiverBook(waivers, TODAY, 90).waive(GATE, verdict)


def test_every_slice_that_failed_needs_a_waiver() -> None:
    verdict = of_parts(part("c=NO", "0.8"), part("c=SE", "0.85"), part("c=DK", "0.95", Outcome.PASS))
    norway = waiver(slice="c=NO", down_to="0.8")
    assert waived(verdict, norway).outcome is Outcome.FAIL
    both = waived(verdict, norway, waiver(slice="c=SE", down_to="0.8"))
    assert (both.outcome, len(both.waivers)) == (Outcome.WARN, 2)
    assert waived(verdict, waiver(down_to="0.8")).outcome is Outcome.WARN
    assert waived(verdict, waiver(down_to="0.81")).outcome is Outcome.FAIL


def test_a_waiver_of_one_slice_does_not_hide_another_that_could_not_be_judged() -> None:
    verdict = of_parts(part("c=NO", "0.8"), part("c=SE", "0.95", Outcome.INCONCLUSIVE))
    found = waived(verdict, waiver(down_to="0.01"))
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "broken")


def test_each_rule_of_a_combination_is_waived_on_its_own_side() -> None:
    text = "{all: [{metric: auc, min: 0.9}, {metric: loss, max: 0.2}]}"
    gates = plan_gates(policy_from_text(f"g: {text}", "gates.yaml"))
    readings = [MetricReading("auc", Decimal("0.85"), "m.json"), MetricReading("loss", Decimal("0.3"), "m.json")]
    auc, loss = waiver(slice="auc", down_to="0.8"), waiver(slice="loss", up_to="0.3")
    for waivers, outcome in (((auc,), Outcome.FAIL), ((auc, loss), Outcome.WARN), ((loss,), Outcome.FAIL)):
        verdicts = evaluate(gates, readings, Old(), WaiverBook(waivers, TODAY, 90))
        assert verdicts.outcome is outcome
    wrong = waiver(slice="loss", down_to="0.1")
    assert evaluate(gates, readings, Old(), WaiverBook((auc, wrong), TODAY, 90)).outcome is Outcome.FAIL


def test_parts_that_do_not_count_need_no_waiver() -> None:
    verdict = of_parts(part("c=NO", "0.8"), part("c=SE", "0.1", counted=False))
    assert waived(verdict, waiver(slice="c=NO", down_to="0.8")).outcome is Outcome.WARN


@pytest.mark.parametrize(
    ("rule", "one", "other", "bound", "outcome"),
    [
        ("max-gap", "0.05", "0.55", {"up_to": "0.1"}, Outcome.FAIL),
        ("max-gap", "0.05", "0.55", {"up_to": "0.5"}, Outcome.WARN),
        ("max-gap", "0.55", "0.05", {"up_to": "0.5"}, Outcome.WARN),
        ("min-ratio", "0.9", "0.3", {"down_to": "0.5"}, Outcome.FAIL),
        ("min-ratio", "0.9", "0.3", {"down_to": "0.3"}, Outcome.WARN),
        ("min-ratio", "0.9", "0", {"down_to": "0.3"}, Outcome.FAIL),
        ("min-ratio", "0.9", "0.3", {"down_to": "0"}, Outcome.FAIL),
        ("max-gap", "0.05", "0.55", {"up_to": "1"}, Outcome.FAIL),
    ],
)
def test_a_waiver_of_a_gate_on_groups_bounds_what_is_between_them(
    rule: str, one: str, other: str, bound: dict[str, str], outcome: Outcome
) -> None:
    gate = PlannedGate("g", "recall", rule, {rule: 0.9}, "gates.yaml:1:1", groups="c")
    pair = Part("c=NO / c=SE", Outcome.FAIL, value=Decimal(one), baseline_value=Decimal(other))
    verdict = Verdict("g", Outcome.FAIL, "recall", "", rule, "block", "x", Decimal(one), parts=(pair,))
    book = WaiverBook((waiver(**bound),), TODAY, 90)
    assert book.waive(gate, verdict).outcome is outcome
    assert book.waive(gate, replace(verdict, parts=())).outcome is Outcome.FAIL


def test_too_little_data_may_be_waived_as_its_value_is_known() -> None:
    unsure = Verdict("g", Outcome.INCONCLUSIVE, "auc", "why", "min", "block", "x", Decimal("0.905"))
    sure = Verdict(**{**vars(unsure), "undecided": str(Undecided.INCONCLUSIVE)})
    assert waived(sure, waiver(down_to="0.9")).outcome is Outcome.WARN
    assert waived(unsure, waiver(down_to="0.9")).outcome is Outcome.INCONCLUSIVE


# --- the file

POLICY = "waivers: waivers.yaml\ngates:\n  floor: {metric: auc, min: 0.9}\n  no: {metric: auc, min: 0.8, slice: c=NO}\n"
GOOD = "{gate: floor, down-to: 0.8, reason: hard, approver: Kari, expires: 2026-12-31}"


def problems(text: str) -> list[str]:
    loaded = policy_from_text(POLICY, "gates.yaml")
    try:
        with_waivers(loaded, lambda *_: text.encode())
    except Problems as found:
        return [str(each) for each in found.problems]
    return []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"waivers: [{GOOD}]", ""),
        ("waivers: []", ""),
        ("{}", "`waivers` is missing"),
        (f"waivers: [{GOOD.replace('floor', 'flor')}]", "the gate `flor`, which does not exist"),
        (f"waivers: [{GOOD.replace('down-to: 0.8, ', '')}]", "has no bound"),
        (f"waivers: [{GOOD.replace('0.8', 'NaN')}]", "finite"),
        (f"waivers: [{GOOD.replace('2026-12-31', 'never')}]", "expected a day such as `2026-12-31`"),
        (f"waivers: [{GOOD.replace('2026-12-31', '20261231')}]", "expected a day such as `2026-12-31`"),
        (f"waivers: [{GOOD.replace('2026-12-31', '2026-02-30')}]", "expected a day such as `2026-12-31`"),
        (f"waivers: [{GOOD.replace('Kari', '')}]", "approver"),
        (f"waivers: [{GOOD.replace('hard', '   ')}]", "reason"),
        (f"waivers: [{GOOD.replace('floor', 'no').replace('{', '{slice: c=SE, ')}]", "its gate judges `c=NO`"),
        (f"waivers: [{GOOD}, {GOOD}]", "another waiver for `floor` above"),
        (f"waivers: [{GOOD.replace('{', '{note: x, ')}]", "unknown key `note`"),
    ],
)
def test_a_file_of_waivers_is_checked_whole(text: str, said: str) -> None:
    found = problems(text)
    assert (found == []) if not said else said in found[0], found


def test_a_file_of_waivers_that_is_missing_is_an_error_where_it_is_named() -> None:
    loaded = policy_from_text(POLICY, "gates.yaml")
    with pytest.raises(Problems) as caught:
        with_waivers(loaded)
    assert caught.value.problems[0].origin == "gates.yaml:1:1"


def test_evidence_of_a_waived_verdict_is_kept() -> None:
    evidence = Evidence("value", Decimal("0.95"), "wilson", 200)
    verdict = Verdict("g", Outcome.FAIL, "auc", "why", "min", "block", "x", Decimal("0.85"), evidence=evidence)
    assert waived(verdict, waiver(down_to="0.8")).evidence == evidence

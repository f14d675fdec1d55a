"""Histories: a truth table, an oracle of the tests, the file, and how gates look at it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlops_action.config.load import policy_from_text
from mlops_action.errors import BadDocument, BaselineUnavailable, MetricUnreadable, Problems
from mlops_action.evaluate import evaluate
from mlops_action.gate_plan import plan_gates
from mlops_action.gates import HISTORY_RULES
from mlops_action.gates.interface import HistoryRule, Judgement
from mlops_action.metrics.baseline import Baselines, History
from mlops_action.metrics.history import PastRun, history_line, read_history
from mlops_action.records import (
    BaselineIdentity,
    MetricReading,
    PlannedGate,
    Verdict,
)
from mlops_action.registry import load_from
from mlops_action.repository import Repository
from mlops_action.vocabulary import Outcome

TABLE = yaml.load((Path(__file__).parent / "history_truth_table.yaml").read_text(), yaml.BaseLoader)
SAYS = {True: "pass", False: "fail", None: "undefined"}
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def planned(gate: dict[str, Any]) -> PlannedGate:
    """A gate as the plan holds it after a trip through JSON."""
    text = json.dumps({"gates": {"g": {"metric": "score", "history": "h.jsonl", **gate}}})
    [plan] = plan_gates(policy_from_text(text, "gates.yaml"))
    return replace(plan, limits=json.loads(json.dumps(plan.limits)))


def judge(gate: dict[str, Any], value: str, past: Sequence[str]) -> Judgement:
    plan = planned(gate)
    rule: HistoryRule = load_from(HISTORY_RULES, plan.rule)()
    return rule.judge(plan, Decimal(value), [Decimal(each) for each in past])


def numbers(gate: Any) -> Any:
    """Texts of the table as YAML reads them."""
    return yaml.safe_load(yaml.dump(gate).replace("'", ""))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{next(iter(row['gate']))}: {row['why']}")
def test_each_row_of_the_truth_table_of_histories_holds(row: dict[str, Any]) -> None:
    judged = judge(numbers(row["gate"]), row["value"], row["past"].split())
    assert SAYS[judged.passed] == row["says"], judged.message
    assert judged.message


def test_every_test_of_a_history_has_passing_failing_and_undefined_rows() -> None:
    seen = {
        (next(iter(row["gate"].values())).get("test"), row["says"])
        for row in TABLE
        if "history-threshold" in row["gate"]
    }
    tests = ("percentage", "z-score", "t-test", "log-normal", "iqr", "delta-iqr")
    assert {(test, says) for test in tests for says in SAYS.values()} <= seen


# --- an oracle: numpy and scipy


def limit(test: str, side: str, past: list[float], boundary: float) -> float:
    """The limit as the distribution's own functions give it."""
    values, sign = np.array(past), 1 if side == "upper" else -1
    n = len(values)
    if test == "percentage":
        return float(values.mean() + sign * abs(values.mean()) * boundary)
    if test == "z-score":
        return float(stats.norm(values.mean(), values.std()).ppf(boundary if sign > 0 else 1 - boundary))
    if test == "t-test":
        scale = values.std(ddof=1) * np.sqrt(1 + 1 / n)
        return float(stats.t(n - 1, values.mean(), scale).ppf(boundary if sign > 0 else 1 - boundary))
    if test == "log-normal":
        logs = np.log(values)
        return float(stats.lognorm(logs.std(), scale=np.exp(logs.mean())).ppf(boundary if sign > 0 else 1 - boundary))
    middle = float(np.median(values))
    if test == "iqr":
        return middle + sign * boundary * float(np.subtract(*np.percentile(values, [75, 25])))
    steps = np.abs(np.diff(values) / values[:-1])
    return middle + sign * boundary * abs(middle) * float(np.subtract(*np.percentile(steps, [75, 25])))


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["percentage", "z-score", "t-test", "log-normal", "iqr", "delta-iqr"]),
    st.sampled_from(["lower", "upper"]),
    st.lists(st.integers(1, 10_000), min_size=5, max_size=30).filter(lambda each: len(set(each)) > 4),
    st.integers(50, 99),
)
def test_limits_agree_with_numpy_and_scipy(test: str, side: str, past: list[int], percent: int) -> None:
    expected = limit(test, side, [float(each) for each in past], percent / 100)
    gate = {"history-threshold": {"test": test, f"{side}-boundary": percent / 100}}
    step = 1e-9 * max(1.0, abs(expected))
    inside, outside = (expected - step, expected + step) if side == "upper" else (expected + step, expected - step)
    texts = [str(each) for each in past]
    assert judge(gate, repr(inside), texts).passed is True
    judged = judge(gate, repr(outside), texts)
    assert judged.passed is False or "without any spread" in judged.message


def test_the_best_of_many_equal_runs_blocks_an_equal_one_without_a_margin() -> None:
    """What docs/gates.md says of a ratchet without a margin: k of k + 1 are below the best of k."""
    stream = np.random.default_rng(7)
    values = stream.normal(size=(20_000, 21))
    assert statistics.fmean((values[:, 20] < values[:, :20].max(axis=1)).tolist()) == pytest.approx(20 / 21, abs=0.01)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["percentage", "z-score", "t-test", "log-normal", "iqr", "delta-iqr"]),
    st.lists(st.integers(1, 1000), min_size=5, max_size=12).filter(lambda each: len(set(each)) > 4),
)
def test_what_a_threshold_says_is_needed_would_have_passed(test: str, past: list[int]) -> None:
    texts = [str(each) for each in past]
    for side, far, word in (("lower", "-1e9", "at least "), ("upper", "1e9", "at most ")):
        gate = {"history-threshold": {"test": test, f"{side}-boundary": 0.9}}
        judged = judge(gate, far, texts)
        assert judge(gate, judged.needed.removeprefix(word), texts).passed is True, judged.message


# --- laws


@pytest.mark.parametrize("name", HISTORY_RULES)
@pytest.mark.parametrize("limits", [{}, None, [], "x", 1])
def test_a_plan_without_the_limits_is_refused(name: str, limits: Any) -> None:
    plan = PlannedGate("g", "score", name, limits, "mlops.yaml:3:1", "higher")
    with pytest.raises(BadDocument):
        load_from(HISTORY_RULES, name)().judge(plan, Decimal(1), [Decimal(1)] * 9)


@pytest.mark.parametrize(
    "threshold",
    [
        {"test": "t-test"},
        {"test": "t-test", "lower-boundary": 0.4},
        {"test": "t-test", "lower-boundary": 1},
        {"test": "z-score", "upper-boundary": 1.5},
        {"test": "iqr", "upper-boundary": -1},
        {"test": "iqr", "upper-boundary": "NaN"},
        {"test": "median", "upper-boundary": 1},
        {"upper-boundary": 1},
        {"test": "iqr", "upper-boundary": 1, "min-sample-size": -1},
        {"test": "iqr", "upper-boundary": 1, "window": "soon"},
    ],
)
def test_thresholds_that_make_no_sense_are_refused_in_the_policy_and_in_a_plan(threshold: dict[str, Any]) -> None:
    with pytest.raises(Problems):
        planned({"history-threshold": threshold})
    plan = PlannedGate("g", "score", "history-threshold", {"history-threshold": threshold}, "g:1:1")
    with pytest.raises(BadDocument):
        load_from(HISTORY_RULES, "history-threshold")().judge(plan, Decimal(1), [Decimal(1)] * 9)


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"ratchet": 0}, "is a higher or a lower `score` better?"),
        ({"ratchet": 0, "direction": "higher", "history": ""}, "looks at a history, and none is given"),
        ({"min": 0}, "`history` belongs to `ratchet` and `history-threshold`"),
    ],
)
def test_what_a_gate_on_a_history_needs_is_told(gate: dict[str, Any], said: str) -> None:
    with pytest.raises(Problems) as caught:
        planned(gate)
    assert said in str(caught.value.problems[0])


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(["percentage", "z-score", "t-test", "log-normal", "iqr", "delta-iqr"]),
    st.lists(st.decimals(allow_nan=False, allow_infinity=False), min_size=0, max_size=8),
    st.decimals(allow_nan=False, allow_infinity=False),
)
def test_any_history_is_judged_or_undefined(test: str, past: list[Decimal], value: Decimal) -> None:
    gate = {"history-threshold": {"test": test, "lower-boundary": 0.9, "min-sample-size": 0}}
    judged = judge(gate, str(value), [str(each) for each in past])
    assert judged.passed in {True, False, None}
    assert judged.passed is None or past


@pytest.mark.parametrize("value", ["1e400", "-1e400", "1e-400", "1e9999"])
def test_numbers_beyond_doubles_are_judged(value: str) -> None:
    past = [f"{each}e400" for each in range(1, 8)]
    for test in ("percentage", "z-score", "t-test", "iqr", "delta-iqr", "log-normal"):
        assert judge({"history-threshold": {"test": test, "upper-boundary": 0.9}}, value, past).passed is (
            value != "1e9999"
        )


# --- the file


def line(value: str, **more: Any) -> str:
    return json.dumps({"schema": "mlops-action/history/v1", "readings": [{"name": "score", "value": value}], **more})


def test_a_line_of_a_history_is_read_as_it_was_written() -> None:
    readings = [
        MetricReading("b", Decimal("0.1"), "x"),
        MetricReading("a", Decimal("0.1000000000000000055511151231257827"), "x", slice="c=NO"),
        MetricReading("nan", Decimal("NaN"), "x"),
        MetricReading("none", None, "x"),
    ]
    written = history_line("2026-11-29T00:00:00Z", "abc", "pass", readings)
    [run] = read_history(written, "h.jsonl")
    assert (run.time, run.commit) == ("2026-11-29T00:00:00Z", "abc")
    assert [(each.name, each.slice, each.value) for each in run.readings] == [
        ("a", "c=NO", Decimal("0.1000000000000000055511151231257827")),
        ("b", "", Decimal("0.1")),
    ]


def test_plain_objects_of_numbers_are_a_history_as_well() -> None:
    runs = read_history(b'{"score": 0.9, "commit": "a", "time": "2026-01-01T00:00:00Z"}\n\n{"score": 0.8}\n', "h.jsonl")
    assert [[(each.name, str(each.value), each.origin) for each in run.readings] for run in runs] == [
        [("score", "0.9", "h.jsonl:1#/score")],
        [("score", "0.8", "h.jsonl:3#/score")],
    ]
    assert runs[0].age(NOW) == NOW - datetime(2026, 1, 1, tzinfo=UTC)
    assert runs[1].age(NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "1",
        "{",
        '{"a": 1, "a": 2}',
        '{"schema": "mlops-action/history/v1"}',
        '{"schema": "mlops-action/history/v1", "readings": [1]}',
        '{"schema": "mlops-action/history/v1", "readings": [{"name": 1, "value": 2}]}',
    ],
)
def test_a_line_that_is_no_run_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(MetricUnreadable) as caught:
        read_history(f'{{"score": 1}}\n{text}\n'.encode(), "h.jsonl")
    assert caught.value.origin.startswith("h.jsonl:2")


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(alphabet='{}[]":,.0123456789eE-schemaredings/v\n', max_size=80)))
def test_any_bytes_are_a_history_or_refused(data: bytes | str) -> None:
    try:
        read_history(data.encode() if isinstance(data, str) else data, "h.jsonl")
    except MetricUnreadable as problem:
        origin = problem.origin
        assert origin.startswith("h.jsonl")  # either end is right


# --- gates


class Past(Baselines):
    """A history from memory."""

    def __init__(self, runs: Sequence[PastRun]) -> None:
        super().__init__(Path("/nowhere"), Repository(Path("/nowhere"), {}), NOW)
        self.runs = tuple(runs)

    def history(self, locator: str) -> History:
        return self.runs, BaselineIdentity(locator, "git:abc:h.jsonl", "sha256:0")


def runs(*lines: str) -> tuple[PastRun, ...]:
    return read_history("\n".join(lines).encode(), "h.jsonl")


def verdict(gate: dict[str, Any], value: str, past: Sequence[PastRun]) -> Verdict:
    readings = [MetricReading("score", Decimal(value), "m.json#/score")]
    return evaluate([planned(gate)], readings, Past(past)).verdicts[0]


def test_a_ratchet_tells_the_best_and_which_history_it_is_from() -> None:
    found = verdict({"ratchet": 0.01, "direction": "higher"}, "0.9", runs(line("0.95"), line("0.93")))
    assert (found.outcome, found.baseline_value) == (Outcome.FAIL, Decimal("0.95"))
    assert found.message == (
        "score fell by 0.05 (from 0.95 to 0.9); at most 0.01 is allowed (the best of 2 in the history)"
    )
    assert found.needed == "at least 0.94"
    assert found.baseline is not None
    assert found.baseline.resolved == "git:abc:h.jsonl"


def test_runs_without_the_metric_do_not_count_and_spoilt_ones_are_told() -> None:
    past = runs(line("0.8"), '{"other": 1}', line("NaN"), '{"score": null}')
    found = verdict({"ratchet": 0, "direction": "higher"}, "0.8", past)
    assert found.outcome is Outcome.PASS
    assert found.notes == ("2 of 4 earlier runs have no usable value and are left out",)


def test_an_empty_history_is_missing_and_a_short_one_too_little() -> None:
    assert verdict({"ratchet": 0, "direction": "higher"}, "1", ()).undecided == "missing"
    gate = {"history-threshold": {"test": "t-test", "lower-boundary": 0.98}}
    found = verdict(gate, "1", runs(line("1"), line("2")))
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "inconclusive")
    assert "the history holds 2 values of score; at least 5 are needed" in found.message


def test_a_window_leaves_out_old_runs_and_those_of_unknown_age() -> None:
    past = runs(
        line("99", time="2026-01-01T00:00:00Z"),
        line("98"),
        *(line(str(each), time="2026-11-20T00:00:00Z") for each in (1, 2, 3, 4, 5)),
    )
    gate = {"history-threshold": {"test": "iqr", "upper-boundary": 1.5, "window": "30d"}}
    assert verdict(gate, "6", past).outcome is Outcome.PASS
    assert verdict(gate, "7", past).outcome is Outcome.FAIL


def test_an_expression_is_reckoned_for_each_earlier_run() -> None:
    text = json.dumps({"gates": {"g": {"expression": "cost / n", "history": "h", "ratchet": 0, "direction": "lower"}}})
    [gate] = plan_gates(policy_from_text(text, "gates.yaml"))
    now = [MetricReading("cost", Decimal(3), "m#/cost"), MetricReading("n", Decimal(2), "m#/n")]
    past = runs('{"cost": 4, "n": 2}', '{"cost": 1, "n": 0}', '{"cost": 3.2, "n": 2}')
    [found] = evaluate([gate], now, Past(past)).verdicts
    assert (found.outcome, found.baseline_value) == (Outcome.PASS, Decimal("1.6"))


def test_a_pattern_looks_up_the_history_of_each_metric() -> None:
    text = json.dumps({"gates": {"g": {"metric": "*.auc", "history": "h", "ratchet": 0, "direction": "higher"}}})
    [gate] = plan_gates(policy_from_text(text, "gates.yaml"))
    now = [MetricReading("a.auc", Decimal("0.9"), "m#/a"), MetricReading("b.auc", Decimal("0.9"), "m#/b")]
    [found] = evaluate([gate], now, Past(runs('{"a": {"auc": 0.9}, "b": {"auc": 0.95}}'))).verdicts
    assert [(part.name, part.outcome) for part in found.parts] == [("b.auc", Outcome.FAIL), ("a.auc", Outcome.PASS)]


def test_a_history_that_cannot_be_read_is_inconclusive() -> None:
    baselines = Baselines(Path("/nowhere"), Repository(Path("/nowhere"), {}), NOW)
    readings = [MetricReading("score", Decimal(1), "m.json#/score")]
    [found] = evaluate([planned({"ratchet": 0, "direction": "higher"})], readings, baselines).verdicts
    assert (found.outcome, found.undecided) == (Outcome.INCONCLUSIVE, "missing")


def test_a_broken_history_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text("{}\n[\n")
    with pytest.raises(BaselineUnavailable) as caught:
        Baselines(tmp_path, Repository(tmp_path, {}), NOW).history("h.jsonl")
    assert caught.value.origin.startswith("h.jsonl:2")

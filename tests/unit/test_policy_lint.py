"""Lint: gates that cannot do what they seem to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mlops_action.config.load import policy_from_text
from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import Problems
from mlops_action.gate_plan import plan_gates
from mlops_action.lint.finding import Policy
from mlops_action.lint.limits import limit_findings
from mlops_action.lint.pairs import pair_findings
from mlops_action.lint.places import place_findings
from mlops_action.lint.sense import direction_findings, metric_findings, power_findings, severity_findings
from mlops_action.pipeline import Pipeline
from mlops_action.records import Evidence, MetricReading, Part, Verdict
from mlops_action.vocabulary import Outcome


def policy(text: str, **readings: Any) -> Policy:
    loaded = policy_from_text(text, "gates.yaml", "old.json")
    known = tuple(MetricReading(name, Decimal(str(value)), "m.json") for name, value in readings.items())
    return Policy(plan_gates(loaded), loaded.gates, known)


def said(findings: Any) -> list[str]:
    return [each.message for each in findings]


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("{metric: accuracy, min: 1.01}", "can never pass"),
        ("{metric: accuracy, min: 95}", "can never pass"),
        ("{metric: accuracy, min: 0}", "can never fail"),
        ("{metric: accuracy, min: 0.01}", ""),
        ("{metric: accuracy, min: 1}", ""),
        ("{metric: accuracy, max: 1, direction: lower}", "can never fail"),
        ("{metric: test.roc_auc, range: [0, 1]}", "can never fail"),
        ("{metric: roc_auc, range: [1.5, 2]}", "can never pass"),
        ("{metric: accuracy, equals: 2}", "can never pass"),
        ("{metric: accuracy, equals: 1}", ""),
        ("{metric: rmse, max: -1}", "can never pass"),
        ("{metric: rmse, max: 1e9}", ""),
        ("{metric: mcc, min: -1}", "can never fail"),
        ("{metric: mcc, min: -0.5}", ""),
        ("{metric: r2, min: 1.5}", "can never pass"),
        ("{metric: accuracy, max-drop: 1}", "can never fail"),
        ("{metric: accuracy, max-drop: {absolute: 1, relative: 1%}}", ""),
        ("{metric: accuracy, max-drop: 100%}", "can never fail"),
        ("{metric: error_rate, max-drop: 100%}", ""),
        ("{metric: accuracy, max-drop: 0.99}", ""),
        ("{metric: accuracy, min-gain: 1.5}", "can never pass"),
        ("{metric: accuracy_percent, min: 95}", ""),
        ("{metric: my_score, min: 95}", ""),
        ("{metric: neg_log_loss, min: -1}", ""),
        ("{expression: 100 * test.accuracy, min: 95}", ""),
    ],
)
def test_a_limit_beyond_what_its_metric_can_be_is_found(gate: str, words: str) -> None:
    found = said(limit_findings(policy(f"g: {gate}")))
    assert [words in each for each in found] == ([True] if words else []), found


def test_the_rules_of_a_combination_are_looked_at_one_by_one() -> None:
    known = policy(
        "g: {any: [{metric: accuracy, min: 2}, {metric: loss, min: 0.1}, {metric: acuracy, min: 0.5}]}", loss=1
    )
    assert "can never pass" in said(limit_findings(known))[0]
    assert ["`accuracy`" in each or "`acuracy`" in each for each in said(metric_findings(known))] == [True, True]
    assert said(pair_findings(known)) == []


def test_a_reading_that_shows_that_a_name_means_something_else_is_believed() -> None:
    assert said(limit_findings(policy("g: {metric: accuracy, min: 95}", accuracy=97.1))) == []


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        ("a: {metric: m, min: 0.9}, b: {metric: m, max: 0.8}", "can never both pass"),
        ("a: {metric: m, equals: 1}, b: {metric: m, equals: 2}", "can never both pass"),
        ("a: {metric: m, range: [0, 1]}, b: {metric: m, min: 2}", "can never both pass"),
        ("a: {metric: m, min: 0.9}, b: {metric: m, max: 0.9}", ""),
        ("a: {metric: m, min: 0.9}, b: {metric: m, max: 0.8, slice: c=NO}", ""),
        ("a: {metric: m, min: 0.9}, b: {metric: m, min: 0.8}", "gate `b` never decides"),
        ("a: {metric: m, min: 0.8}, b: {metric: m, min: 0.9}", "gate `a` never decides"),
        ("a: {metric: m, min: 0.9}, b: {metric: m, min: 0.9}", "never decides"),
        ("a: {metric: m, range: [0, 1]}, b: {metric: m, range: [0.2, 0.5]}", "gate `a` never decides"),
        ("a: {metric: m, min: 0.9}, b: {metric: m, min: 0.8, severity: warn}", ""),
        ("a: {metric: m, min: 0.9, severity: warn}, b: {metric: m, min: 0.8}", ""),
    ],
)
def test_gates_that_contradict_or_repeat_each_other_are_found(gates: str, words: str) -> None:
    found = said(pair_findings(policy(f"{{{gates}}}")))
    assert [words in each for each in found] == ([True] if words else []), found


def test_a_contradiction_is_certain_only_where_both_gates_block() -> None:
    text = "a: {metric: m, min: 0.9}, b: {metric: m, max: 0.8"
    assert [each.certain for each in pair_findings(policy(f"{{{text}}}}}"))] == [True]
    assert [each.certain for each in pair_findings(policy(f"{{{text}, severity: warn}}}}"))] == [False]


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        ("a: {metric: accuracy, max-drop: 0.1, direction: lower}", "says that a lower `accuracy` is better"),
        ("a: {metric: loss, min: 0.1}", "a lower one is better"),
        ("a: {metric: accuracy, max: 0.1}", "a higher one is better"),
        ("a: {metric: latency, max: 0.1}", ""),
        ("a: {metric: accuracy, min: 0.9}, b: {metric: accuracy, max: 0.99}", ""),
        ("a: {metric: my_score, max: 0.1}", ""),
        ("a: {metric: accuracy_drop, max: 0.1}", ""),
        ("a: {metric: accuracy_std, max: 0.1}", ""),
        ("a: {expression: 1 - test.accuracy, max: 0.1}", ""),
    ],
)
def test_directions_that_contradict_a_name_are_found(gates: str, words: str) -> None:
    found = said(direction_findings(policy(f"{{{gates}}}")))
    assert [words in each for each in found] == ([True] if words else []), found


def test_a_metric_that_nothing_here_has_is_found_with_the_nearest_name() -> None:
    [found] = metric_findings(policy("g: {metric: acuracy, min: 0.9}", accuracy=0.9))
    assert "has a metric `acuracy`" in found.message
    assert found.hint == "did you mean `accuracy`?"
    assert not found.certain
    assert said(metric_findings(policy("g: {metric: accuracy, min: 0.9}", accuracy=0.9))) == []


def test_where_no_metric_is_known_none_is_unknown() -> None:
    assert said(metric_findings(policy("g: {metric: acuracy, min: 0.9}"))) == []


def test_a_policy_that_cannot_block_is_found() -> None:
    assert (
        "no gate has severity `block`" in said(severity_findings(policy("g: {metric: m, min: 1, severity: info}")))[0]
    )
    assert said(severity_findings(policy("{a: {metric: m, min: 1, severity: info}, b: {metric: m, max: 9}}"))) == []


def judged(*detectable: str | None, parts: bool = False) -> Verdict:
    shown = [
        Evidence("difference", Decimal("0.95"), "newcombe", 400, detectable=None if each is None else Decimal(each))
        for each in detectable
    ]
    blank = Verdict("g", Outcome.PASS, "accuracy", "", "max-drop", "block", "gates.yaml:1:1")
    if not parts:
        return replace(blank, evidence=shown[0])
    return replace(blank, parts=tuple(Part(str(i), Outcome.PASS, evidence=each) for i, each in enumerate(shown)))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (judged("0.03"), "a distance of 0.03 with 80% power"),
        (judged("0.01"), ""),
        (judged("0.001"), ""),
        (judged(None), ""),
        (judged("0.03", "0.001", "0.02", parts=True), "0.03 with 80% power in 2 of 3 slices"),
    ],
)
def test_a_margin_that_the_rows_of_the_latest_run_cannot_show_is_found(verdict: Verdict, words: str) -> None:
    known = replace(policy("g: {metric: accuracy, max-drop: 0.01}"), latest={"g": verdict})
    found = said(power_findings(known))
    assert [words in each for each in found] == ([True] if words else []), found


@pytest.mark.parametrize(
    ("baseline", "tracked", "hint"),
    [
        ("git:HEAD:old.json", "", "git::old.json"),
        ("git:@:old.json", "", "git::old.json"),
        ("accepted.json", "accepted.json", "git::accepted.json"),
        ("downloaded.json", "accepted.json", ""),
        ("git::accepted.json", "", ""),
        ("git:main:accepted.json", "", ""),
    ],
)
def test_a_bar_that_the_change_itself_can_lower_is_found(baseline: str, tracked: str, hint: str) -> None:
    known = replace(
        policy(f"g: {{metric: accuracy, max-drop: 0.01, baseline: '{baseline}'}}"), tracked=frozenset({tracked})
    )
    assert [hint in each.hint for each in place_findings(known)] == ([True] if hint else [])


# --- the command


def check(folder: Path, gates: str, strict: bool = False, **env: str) -> tuple[str, list[str]]:
    (folder / "mlops.yaml").write_text(f"gates:\n  {gates}\n")
    out = StringIO()
    context = Context(env, folder, out, lambda: datetime(2026, 11, 29, tzinfo=UTC))
    try:
        Pipeline(Settings(Options()), context).check(strict)
    except Problems as problems:
        return out.getvalue(), [str(each) for each in problems.problems]
    return out.getvalue(), []


def test_check_warns_of_what_is_odd_and_strict_refuses_it(tmp_path: Path) -> None:
    log, problems = check(tmp_path, "g: {metric: accuracy, min: 0}")
    assert "warning: mlops.yaml:2:3: gate `g` can never fail" in log
    assert "mlops.yaml: ok" in log
    assert problems == []
    assert check(tmp_path, "g: {metric: accuracy, min: 0}", strict=True)[1]


def test_check_refuses_what_can_never_be_right(tmp_path: Path) -> None:
    _, problems = check(tmp_path, "{a: {metric: m, min: 0.9}, b: {metric: m, max: 0.8}}")
    assert len(problems) == 1


def test_check_refuses_a_waiver_that_has_ended(tmp_path: Path) -> None:
    waiver = "{gate: g, down-to: 0.1, reason: r, approver: K, expires: 2026-11-28}"
    (tmp_path / "w.yaml").write_text(f"waivers: [{waiver}]\n")
    _, problems = check(tmp_path, "g: {metric: m, min: 0.9}\nwaivers: w.yaml")
    assert problems == ["w.yaml:1:11: the waiver by K ended on 2026-11-28"]


def test_warnings_of_check_are_annotations_at_the_policy_line(tmp_path: Path) -> None:
    log, _ = check(tmp_path, "g: {metric: accuracy, min: 0}", GITHUB_ACTIONS="true")
    assert "::warning file=mlops.yaml,line=2" in log


def test_damaged_results_of_an_earlier_run_do_not_stop_check(tmp_path: Path) -> None:
    (tmp_path / "mlops-out").mkdir()
    for name in ("verdicts.json", "run.json"):
        (tmp_path / "mlops-out" / name).write_text("{")
    assert check(tmp_path, "g: {metric: accuracy, min: 0.5}")[1] == []

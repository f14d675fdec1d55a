"""Attempts to get a pass out of nothing. None of these may end green, whatever else they say."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from mlops_action.config.options import Options
from mlops_action.config.sources import Settings
from mlops_action.context import Context
from mlops_action.errors import ExitCode, MlopsError
from mlops_action.pipeline import Pipeline

SOFT = "on-missing: warn, on-undefined: warn, on-inconclusive: warn"
FLOOR = "gates: {g: {metric: auc, min: 0.9}}"


def ends(folder: Path, policy: str, metrics: tuple[str, ...] = ("m.json",), **files: str) -> tuple[int, str]:
    """The exit code of `gate` in a project of these files, and what it said; ``m_json`` is ``m.json``."""
    (folder / "mlops.yaml").write_text(policy)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    out = StringIO()
    context = Context({"PATH": "/usr/bin:/bin"}, folder, out, lambda: datetime(2026, 11, 29, tzinfo=UTC))
    try:
        return Pipeline(Settings(Options(metrics=metrics)), context).gate(""), out.getvalue()
    except MlopsError as error:
        return error.exit_code, str(error)


def test_the_same_project_with_a_good_metric_is_green(tmp_path: Path) -> None:
    assert ends(tmp_path, FLOOR, m_json='{"auc": 0.95}')[0] == ExitCode.PASSED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "0.95",
        "null",
        '[{"auc": 0.99}]',
        '{"auc": "0.95"}',
        '{"auc": "95%"}',
        '{"auc": true}',
        '{"auc": [0.95]}',
        '{"auc": {"value": 0.95}}',
        '{"auc": null}',
        '{"auc": NaN}',
        '{"auc": Infinity}',
        '{"auc": -Infinity}',
        '{"auc": "inf"}',
        '{"AUC": 0.99}',
        '{"auc ": 0.99}',
        '{"auc": 0.1, "auc": 0.99}',
        '{"auc": 0.95}{"auc": 0.1}',
        '{"auc": 0.95}\n{"auc": 0.1}',
        '{"auc": 0.95',
        "<html>0.95</html>",
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
    ],
)
def test_a_metric_file_that_holds_no_such_number_is_not_green(tmp_path: Path, text: str) -> None:
    for policy in (FLOOR, f"gates: {{g: {{metric: auc, min: 0.9, {SOFT}}}}}"):
        code, said = ends(tmp_path, policy, m_json=text)
        assert code != ExitCode.PASSED, said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.yaml", "auc: 0.1\nauc: 0.99"),
        ("m.yaml", 'auc: "0.95"'),
        ("m.yaml", "auc: 0.9_5"),
        ("m.yaml", "auc: 1:30"),
        ("m.yaml", "auc: yes"),
        ("m.yaml", "- auc: 0.99"),
        ("m.csv", "auc\n0.1\n0.99\n"),
        ("m.csv", "metric,value\nauc,0.1\nauc,0.99\n"),
        ("m.csv", 'metric,value\nauc,"0,95"\n'),
        ("m.csv", "auc,auc\n0.1,0.99\n"),
        ("m.csv", "metric,value\nauc,\n"),
        ("m.toml", "auc = 0.99\nauc = 0.1"),
        ("m.toml", "auc = inf"),
        ("m.jsonl", ""),
        ("m.prom", "auc 0.99\nauc 0.1\n"),
        ("m.xml", "<testsuites/>"),
        ("m.unknown", "auc 0.99"),
    ],
)
def test_no_other_format_is_more_generous(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    code, said = ends(tmp_path, FLOOR, (name,))
    assert code != ExitCode.PASSED, said


@pytest.mark.parametrize("metrics", [("m.json", "m.json"), ("m.json", "./m.json"), ("m.json", "n.json")])
def test_a_metric_that_was_written_twice_is_not_green(tmp_path: Path, metrics: tuple[str, ...]) -> None:
    assert ends(tmp_path, FLOOR, metrics, m_json='{"auc": 0.95}', n_json='{"auc": 0.1}')[0] == ExitCode.INCONCLUSIVE


NOBODY_LOOKED = {
    "a suite without tests": '<testsuite name="x" tests="0" failures="0"/>',
    "a suite that says it has some": '<testsuite name="x" tests="9" failures="0"/>',
    "tests that were all skipped": '<testsuite name="x"><testcase name="a"><skipped/></testcase></testsuite>',
}


@pytest.mark.parametrize("text", NOBODY_LOOKED.values(), ids=list(NOBODY_LOOKED))
@pytest.mark.parametrize("metric", ["tests.failed", "tests.errors"])
def test_no_failure_among_no_tests_is_not_green(tmp_path: Path, text: str, metric: str) -> None:
    code, said = ends(tmp_path, f"gates: {{g: {{metric: {metric}, max: 0}}}}", ("j.xml",), j_xml=text)
    assert code == ExitCode.INCONCLUSIVE, said


def test_no_failure_among_no_prompts_is_not_green(tmp_path: Path) -> None:
    stats = '{"results": {"version": 3, "stats": {"successes": 0, "failures": 0, "errors": 0}, "results": []}}'
    for metric in ("failures", "errors"):
        code, said = ends(tmp_path, f"gates: {{g: {{metric: {metric}, max: 0}}}}", m_json=stats)
        assert code == ExitCode.INCONCLUSIVE, said


@pytest.mark.parametrize(
    "gate",
    [
        "{at-least: 0, of: [{metric: auc, min: 2}]}",
        "{any: []}",
        "{all: []}",
        "{at-least: 1, of: []}",
        "{at-least: 2, of: [{metric: auc, min: 0}]}",
        "{any: [{metric: auc, min: 2}], severity: info}",
        "{metric: 'zz*', min: 0}",
        f"{{metric: 'zz*', min: 0, {SOFT}}}",
        "{metric: auc, min: 0.9, on-missing: pass}",
        "{metric: auc, min: 0.9, on-undefined: pass}",
        "{metric: auc, min: 0.9, severity: none}",
        "{metric: auc, min: .nan}",
        "{metric: auc, max: .inf}",
        "{metric: auc, range: [-.inf, .inf]}",
        "{metric: auc, max-drop: .inf, baseline: b.json}",
        "{metric: auc, max-drop: 1, baseline: m.json}",
        "{metric: auc, max-drop: 1, baseline: ./m.json}",
        "{metric: auc, max-drop: 1, baseline: l.json}",
        f"{{metric: auc, max-drop: 1, baseline: l.json, {SOFT}}}",
        "{metric: auc, max-drop: 1, baseline: missing.json}",
        "{metric: auc, max-drop: 1, baseline: 'git::b.json'}",
        "{metric: auc, max-drop: 1, baseline: ''}",
        "{metric: auc, max-drop: 100%, baseline: z.json}",
        "{metric: auc, max-drop: 1}",
        "{expression: auc / 0, min: 0}",
        "{expression: '1', min: 0}",
        "{expression: auc / (auc - auc), min: 0}",
        "{expression: missing * 0, min: 0}",
        "{metric: auc, ratchet: 1, history: h.jsonl}",
        "{metric: auc, ratchet: 1, history: missing.jsonl}",
        "{metric: auc, history-threshold: {test: t-test, lower-boundary: 0.98}, history: h.jsonl}",
        "{metric: auc, min: 0.9, min: 0.1}",
        "{metric: auc, Min: 0.1}",
        "{metric: '', min: 0}",
        "{metric: auc}",
        "{}",
        "null",
    ],
)
def test_a_gate_that_says_nothing_is_not_green(tmp_path: Path, gate: str) -> None:
    (tmp_path / "l.json").symlink_to("m.json")
    files = {"m_json": '{"auc": 0.5}', "h_jsonl": "", "b_json": '{"auc": 0.4}', "z_json": '{"auc": 0}'}
    code, said = ends(tmp_path, f"gates: {{g: {gate}}}", **files)
    assert code not in {ExitCode.PASSED, ExitCode.BUG}, said


@pytest.mark.parametrize(
    "policy",
    ["", "gates: ~", "gates: []", "gates: {}", "gates: 'none '", "gates: None", "gates: false", "gates: missing.yaml"],
)
def test_a_policy_that_says_nothing_is_not_green(tmp_path: Path, policy: str) -> None:
    assert ends(tmp_path, policy, m_json='{"auc": 0.5}')[0] != ExitCode.PASSED


def test_a_file_with_nothing_but_other_metrics_is_not_green_however_soft_the_gates(tmp_path: Path) -> None:
    gates = "; ".join(
        f"g{i}: {{metric: auc{i}, min: 0, {SOFT}, severity: {s}}}" for i, s in enumerate(("warn", "info"))
    )
    code, said = ends(tmp_path, f"gates: {{{gates.replace(';', ',')}}}", m_json='{"loss": 0.5}')
    assert code == ExitCode.INCONCLUSIVE, said


WAIVER = "{gate: g, down-to: 0.4, reason: r, approver: K, expires: 2026-12-01}"


@pytest.mark.parametrize(
    "waiver",
    [
        WAIVER.replace("2026-12-01", "2026-11-28"),
        WAIVER.replace("2026-12-01", "2099-12-01"),
        WAIVER.replace("0.4", "0"),
        WAIVER.replace("0.4", "-.inf"),
        WAIVER.replace("down-to: 0.4", "up-to: 0.9"),
        WAIVER.replace("down-to: 0.4, ", ""),
        WAIVER.replace("gate: g", "gate: '*'"),
        WAIVER.replace("{", "{slice: x, "),
        WAIVER.replace("approver: K", "approver: ''"),
        WAIVER.replace("0.4", "0.51"),
    ],
)
def test_a_waiver_that_does_not_hold_is_not_green(tmp_path: Path, waiver: str) -> None:
    policy = f"waivers: w.yaml\n{FLOOR}"
    assert ends(tmp_path, policy, m_json='{"auc": 0.5}', w_yaml=f"waivers: [{WAIVER}]")[0] == ExitCode.PASSED
    code, said = ends(tmp_path, policy, m_json='{"auc": 0.5}', w_yaml=f"waivers: [{waiver}]")
    assert code != ExitCode.PASSED, said


@pytest.mark.parametrize("text", ['{"auc": NaN}', '{"loss": 0.5}', '{"auc": null}'])
def test_a_waiver_does_not_make_up_for_a_metric_that_is_not_there(tmp_path: Path, text: str) -> None:
    policy = f"waivers: w.yaml\n{FLOOR}"
    assert ends(tmp_path, policy, m_json=text, w_yaml=f"waivers: [{WAIVER}]")[0] == ExitCode.INCONCLUSIVE

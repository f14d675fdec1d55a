"""Every report tells what is new about a verdict: waivers, information, intervals, parts, the policy guard."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import jsonschema
import pytest
import report_sample as sample
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mlops_action.codec import decode, encode
from mlops_action.config.generate import schema_of
from mlops_action.formats.interface import Account
from mlops_action.formats.markdown import MAX_BYTES, Markdown
from mlops_action.formats.verdict_text import details
from mlops_action.records import Evidence, GuardReport, Part, Verdict, Verdicts, Waiver, WaiverUse
from mlops_action.report import report
from mlops_action.vocabulary import Outcome, WaiverState

EVIDENCE = Evidence(
    "difference",
    Decimal("0.95"),
    "newcombe-paired",
    4321,
    low=Decimal("-0.0812"),
    high=Decimal("-0.0123"),
    detectable=Decimal("0.0234"),
)
WAIVER = Waiver(
    "floor", "harder set, see #12", "Kari", "2026-12-31", "waivers.yaml:2:5", "c=NO", Decimal("0.83"), None, 7
)
USE = WaiverUse(WAIVER, WaiverState.USED, "Ola", ("the change's own author wrote it: Ola",))
PARTS = (
    Part("c=NO", Outcome.FAIL, "recall fell in Norway", Decimal("0.81"), Decimal("0.9"), evidence=EVIDENCE),
    Part("c=SE", Outcome.PASS, value=Decimal("0.95")),
    Part("c=FO", Outcome.INCONCLUSIVE, "only 3 rows", counted=False),
)


def verdict(gate: str, outcome: Outcome, **more: object) -> Verdict:
    blank = Verdict(gate, outcome, "auc", f"{gate} says why", "min", "block", "conf/gates.yaml:7:3")
    return replace(blank, value=Decimal("0.85"), **more)  # type: ignore[arg-type]


VERDICTS = Verdicts(
    "mlops-action/verdicts/v1",
    "0",
    Outcome.FAIL,
    "5 gates.",
    (
        verdict("floor", Outcome.WARN, waivers=(USE,)),
        verdict("sliced", Outcome.FAIL, parts=PARTS, evidence=EVIDENCE, slice="c=NO", notes=("`c=DK` is gone",)),
        verdict("seen", Outcome.INFO, severity="info"),
        verdict("unsure", Outcome.INCONCLUSIVE, undecided="inconclusive"),
        verdict("sure", Outcome.PASS, evidence=EVIDENCE, baseline_value=Decimal("0.9")),
    ),
    (USE, WaiverUse(replace(WAIVER, gate="old"), WaiverState.EXPIRED)),
    GuardReport("main", "abc", "block", Outcome.FAIL, "1 gate: 1 failed.", ("gate `floor`: min 0.9 → 0.8",)),
)


def files(verdicts: Verdicts = VERDICTS) -> dict[str, str]:
    emissions = report(Account(None, verdicts, None), "mlops-out", "sub")
    return {name: data.decode() for name, data in emissions.files if not name.endswith(".png")}


def test_verdicts_with_everything_fit_their_schema_and_survive_the_trip() -> None:
    data = json.loads(json.dumps(encode(VERDICTS)))
    jsonschema.Draft202012Validator(schema_of(Verdicts)).validate(data)
    assert repr(decode(Verdicts, data, "verdicts.json")) == repr(VERDICTS)


@pytest.mark.parametrize("name", ["report.md", "report.html"])
def test_reports_for_people_tell_everything(name: str) -> None:
    text = files()[name].replace("\\", "").replace("&#x27;", "'")
    for words in (
        "waived for c=NO by Kari until 2026-12-31, down to 0.83: harder set, see #12",
        "the change's own author wrote it: Ola",
        "newcombe-paired",
        "a distance of 0.0234 with 80% power",
        "recall fell in Norway",
        "95% interval -0.0812 to -0.0123",
        "4321",
        "c=SE",
        "only 3 rows",
        "not counted",
        "is gone",
        "expired",
        "min 0.9 → 0.8",
    ):
        assert words in text, words


def test_junit_counts_what_blocks_and_tells_the_rest() -> None:
    text = files()["junit.xml"]
    assert 'tests="5" failures="1" errors="1"' in text
    for words in ("waived for c=NO by Kari", "seen says why", "with 80% power", "`c=DK` is gone"):
        assert words in text


def test_annotations_point_at_the_policy_line_with_a_level_for_each_outcome() -> None:
    found = {each.title: each for each in report(Account(None, VERDICTS, None), "mlops-out", "sub").annotations}
    levels = {title: each.level for title, each in found.items()}
    assert levels == {
        "gate sliced: fail": "error",
        "gate unsure: inconclusive": "error",
        "gate floor: warn": "warning",
        "gate seen: info": "notice",
    }
    assert list(levels.values()) == ["error", "error", "warning", "notice"]
    assert {(each.path, each.line) for each in found.values()} == {("sub/conf/gates.yaml", 7)}
    assert "waived for c=NO by Kari" in found["gate floor: warn"].message


def test_sarif_suppresses_what_a_waiver_accepts_and_nothing_else() -> None:
    results = json.loads(files()["report.sarif"])["runs"][0]["results"]
    suppressed = {each["ruleId"]: each.get("suppressions") for each in results}
    [accepted] = suppressed.pop("gate floor: warn")
    assert (accepted["kind"], accepted["status"]) == ("external", "accepted")
    assert "harder set" in accepted["justification"]
    assert not any(suppressed.values())
    assert {each["ruleId"]: each["level"] for each in results}["gate seen: info"] == "note"
    assert all(each["locations"][0]["physicalLocation"]["region"] == {"startLine": 7} for each in results)


def test_code_quality_tells_information_as_information() -> None:
    issues = {each["check_name"]: each for each in json.loads(files()["codequality.json"])}
    assert issues["gate seen: info"]["severity"] == "info"
    assert issues["gate floor: warn"]["severity"] == "minor"
    assert issues["gate sliced: fail"]["location"] == {"path": "sub/conf/gates.yaml", "lines": {"begin": 7}}


def test_openmetrics_has_outcome_value_baseline_and_interval_of_each_gate() -> None:
    families = {each.name: each.samples for each in text_string_to_metric_families(files()["metrics.txt"])}
    outcomes = {each.labels["gate"]: each.labels for each in families["mlops_gate_outcome"]}
    assert {name: labels["outcome"] for name, labels in outcomes.items()}["seen"] == "info"
    assert outcomes["floor"]["waived"] == "true"
    assert [each.value for each in families["mlops_gate_interval_low"]] == [-0.0812, -0.0812]
    assert [each.value for each in families["mlops_gate_baseline_value"]] == [0.9]
    assert {each.value for each in families["mlops_gate_rows"]} == {4321.0}


def test_outputs_name_what_blocks_and_not_what_is_waived() -> None:
    outputs = dict(report(Account(None, VERDICTS, None), "mlops-out", "").outputs)
    assert json.loads(outputs["failed-gates"]) == ["sliced", "unsure"]


def many(gates: int, parts: int, text: str) -> Verdicts:
    part = Part("c=" + text, Outcome.FAIL, text, Decimal(1), evidence=EVIDENCE)
    one = verdict(text, Outcome.FAIL, parts=(part,) * parts, notes=(text,) * parts, waivers=(USE,) * 3, hint=text)
    return replace(VERDICTS, verdicts=(one,) * gates, waivers=(USE,) * gates)


@pytest.mark.parametrize("gates", [1, 400])
@pytest.mark.parametrize("parts", [1, 300])
@pytest.mark.parametrize("text", ["|`é" * 100])
def test_a_report_of_many_gates_and_parts_is_cut_by_rows_with_a_count(gates: int, parts: int, text: str) -> None:
    verdicts = many(gates, parts, text)
    changed = replace(verdicts, guard=GuardReport("main", "a", "block", Outcome.FAIL, text, (text,) * parts))
    ((_, data),) = Markdown().render(Account(None, changed, None))
    assert len(data) <= MAX_BYTES
    if gates * parts > 40:
        assert " more" in data.decode()


def test_hostile_names_break_out_of_no_report() -> None:
    waiver = replace(WAIVER, reason=sample.HOSTILE, approver=sample.HOSTILE)
    use = WaiverUse(waiver, WaiverState.USED, flags=(sample.HOSTILE,))
    part = Part(sample.HOSTILE, Outcome.FAIL, sample.HOSTILE)
    one = verdict(sample.HOSTILE, Outcome.WARN, waivers=(use,), parts=(part,), notes=(sample.HOSTILE,))
    guard = replace(VERDICTS.guard or GuardReport("", "", "", Outcome.FAIL, ""), changes=(sample.HOSTILE,))
    found = files(replace(VERDICTS, verdicts=(one,), waivers=(use,), guard=guard))
    assert "<script" not in found["report.html"]
    assert "<script" not in found["report.md"].replace("\\<", "")
    assert not any("\x1b" in text for text in found.values())
    assert all(text.count("\n# EOF\n") == 1 for name, text in found.items() if name == "metrics.txt")


def test_a_verdict_tells_a_few_parts_and_counts_the_others() -> None:
    parts = tuple(replace(PARTS[0], name=f"c={i}", message=f"why {i}") for i in range(50))
    lines = details(verdict("g", Outcome.FAIL, parts=parts, notes=tuple(map(str, range(50)))))
    assert "and 45 more of 50" in lines
    assert lines[-1] == "and 30 more"


@pytest.mark.parametrize("name", ["report.md", "report.html"])
def test_what_a_rule_of_groups_compares_with_is_called_a_group_and_not_a_baseline(name: str) -> None:
    gap = replace(verdict("gap", Outcome.FAIL, parts=PARTS[:1]), rule="max-gap")
    assert "Other group" in files(replace(VERDICTS, verdicts=(gap,), guard=None))[name]
    assert "Other group" not in files()[name]

"""Reports that other programs read: each by a parser that is not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
import report_sample as sample
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mlops_action.formats import FOR_MACHINES
from mlops_action.formats.dotenv import OUTPUTS, Dotenv
from mlops_action.formats.interface import Account, Told
from mlops_action.records import Annotation
from mlops_action.registry import load
from mlops_action.report import report
from mlops_action.stores import folder

FINDINGS = (
    Annotation("error", "gate floor: fail", "accuracy 0.8 is below 0.9", "conf/mlops.yaml", 7),
    Annotation("warning", "gate slow: warn", sample.HOSTILE, "a b.yaml"),
    Annotation("error", "step train failed", "no file"),
)
VALUES = (("verdict", "fail"), ("failed-gates", '["floor", "a\\nMLOPS_VERDICT=pass"]'), ("manifest-id", "sha256:00"))


def told(**changes: Any) -> Told:
    return replace(Told(sample.account(), FINDINGS, VALUES), **changes)


def made(name: str, **changes: Any) -> str:
    ((_, data),) = load(FOR_MACHINES[name])().render(told(**changes))
    return str(data.decode())


@pytest.mark.parametrize("name", FOR_MACHINES)
def test_the_same_story_gives_the_same_bytes_in_one_known_file(name: str) -> None:
    form = load(FOR_MACHINES[name])()
    assert form.render(told()) == form.render(told())
    ((file, _),) = form.render(told())
    assert file in folder.FOR_MACHINES, "what a run writes must be removed by the next one"
    assert PurePosixPath(file).parts == (file,)


@pytest.mark.parametrize("name", FOR_MACHINES)
def test_nothing_to_tell_is_still_a_whole_file(name: str) -> None:
    assert made(name, account=Account(None, None, None), annotations=(), outputs=())


def test_each_finding_is_a_result_with_its_place_in_sarif() -> None:
    run = json.loads(made("sarif"))["runs"][0]
    first, second, third = run["results"]
    assert first["level"] == "error"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "conf/mlops.yaml"},
        "region": {"startLine": 7},
    }
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.yaml"
    assert "locations" not in third
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[each["ruleIndex"]] for each in run["results"]] == [each.title for each in FINDINGS]


def test_each_finding_with_a_file_is_an_issue_of_code_quality() -> None:
    issues = json.loads(made("code-quality"))
    assert [issue["severity"] for issue in issues] == ["blocker", "minor"]
    assert issues[0]["location"] == {"path": "conf/mlops.yaml", "lines": {"begin": 7}}
    assert len({issue["fingerprint"] for issue in issues}) == 2


def test_readings_are_read_back_by_prometheus_with_names_that_hold_anything() -> None:
    family, *_ = text_string_to_metric_families(made("openmetrics"))
    found = {sample_.labels["name"]: (sample_.labels.get("slice"), sample_.value) for sample_ in family.samples}
    assert found["test.accuracy"] == (None, 0.9312)
    assert found["test.recall"] == ("age=old", 0.874)
    hostile = next(name for name in found if "script" in name)
    assert found[hostile][1] != found[hostile][1], "a reading without a value is NaN"


def test_a_dotenv_report_stays_within_gitlab_s_limits_whatever_gates_are_called() -> None:
    many = json.dumps([f"gate-{i}-{'x' * 40}" for i in range(200)])
    text = made("dotenv", outputs=(*VALUES[:1], ("failed-gates", many), ("values", "x" * 9000)))
    lines = text.splitlines()
    assert lines[0] == "MLOPS_VERDICT=fail"
    assert len(text.encode()) < 5000
    assert len(lines) <= 20
    assert not set("\"'`$\\") & set(text)


def test_a_gate_s_name_cannot_set_a_variable_of_its_own() -> None:
    names = [line.partition("=")[0] for line in made("dotenv").splitlines()]
    assert names == ["MLOPS_VERDICT", "MLOPS_FAILED_GATES", "MLOPS_MANIFEST_ID"]


def test_every_variable_of_the_dotenv_report_is_an_output_of_a_run() -> None:
    assert set(OUTPUTS) <= {name for name, _ in report(sample.account(), "mlops-out", "").outputs}
    assert Dotenv().render(told(outputs=()))

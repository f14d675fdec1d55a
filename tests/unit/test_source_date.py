"""`SOURCE_DATE_EPOCH`: what it means, and where a manifest heeds it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlops_action.assemble import assemble, check_manifest
from mlops_action.codec import encode
from mlops_action.errors import BadValue
from mlops_action.records import Fact, Plan, RunResult, StepResult
from mlops_action.source_date import source_date
from mlops_action.vocabulary import StepStatus

STARTED, FINISHED = "2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z"
STEPS = (
    StepResult("train", StepStatus.OK, started="2026-01-01T00:00:01.000Z", seconds=1.5),
    StepResult("score", StepStatus.OK, started=FINISHED, cached="hit: nothing changed since 2025-12-31T10:00:00Z"),
    StepResult("never", StepStatus.SKIPPED),
)
RUN = RunResult("mlops-action/run/v1", "0.1.0", STARTED, FINISHED, Plan("mlops.yaml", "/p", "out", (), ()), STEPS)


def observed(value: str) -> Any:
    fact = Fact("machine", {"switches": {"SOURCE_DATE_EPOCH": value}})
    manifest = assemble(replace(RUN, facts=(fact,)), None)
    check_manifest(encode(manifest))
    return manifest.observation


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("0", "1970-01-01T00:00:00.000Z"),
        ("1700000000", "2023-11-14T22:13:20.000Z"),
        ("0001700000000", "2023-11-14T22:13:20.000Z"),
        ("253402300799", "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_whole_number_of_seconds_is_a_moment(value: str, moment: str) -> None:
    assert source_date(value) == moment


@pytest.mark.parametrize(
    "value", ["", " ", "soon", "-1", "+1", "1.5", "1e9", "1_000", " 1", "1\n", "٣", "253402300800", "9" * 5000]
)
def test_anything_else_is_refused_with_the_remedy(value: str) -> None:
    with pytest.raises(BadValue, match="not a whole number of seconds") as refused:
        source_date(value)
    assert "git log -1 --format=%ct" in refused.value.hint
    assert len(str(refused.value)) < 200


def test_no_time_of_a_manifest_is_later_and_what_was_measured_stays() -> None:
    found, date = observed("1700000000"), "2023-11-14T22:13:20.000Z"
    assert (found["started"], found["finished"], found["times-from"]) == (date, date, "SOURCE_DATE_EPOCH")
    assert [each["started"] for each in found["steps"]] == [date, date, ""]
    assert found["steps"][0]["seconds"] == 1.5
    assert found["steps"][1]["cached"] == f"hit: nothing changed since {date}"


def test_a_run_is_never_told_to_be_later_than_it_was() -> None:
    found = observed("4000000000")
    assert (found["started"], found["finished"]) == (STARTED, FINISHED)
    assert "times-from" not in found


def test_a_run_around_that_moment_says_that_a_time_of_it_is_not_its_own() -> None:
    found = observed("1767225630")
    assert (found["started"], found["finished"]) == (STARTED, "2026-01-01T00:00:30.000Z")
    assert found["times-from"] == "SOURCE_DATE_EPOCH"


@pytest.mark.parametrize("value", ["soon", "***", ""])
def test_a_record_with_another_value_keeps_its_times(value: str) -> None:
    found = observed(value)
    assert found["finished"] == FINISHED
    assert "times-from" not in found


def test_without_the_variable_a_manifest_is_what_it_was() -> None:
    found = assemble(RUN, None).observation
    assert (found["started"], found["finished"]) == (STARTED, FINISHED)
    assert "times-from" not in found

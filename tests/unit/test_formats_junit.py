"""JUnit XML: valid for those who read it, and a case for each cell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import junitparser
import pytest
import report_sample as sample
import xmlschema

from mlops_action.formats.interface import Account
from mlops_action.formats.junit import JUnit
from mlops_action.records import CellResult, Failure, StepResult
from mlops_action.vocabulary import CellStatus, FailureKind, StepStatus

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).with_name("junit.xsd")))


def rendered(account: Account) -> ET.Element:
    ((_, data),) = JUnit().render(account)
    SCHEMA.validate(data.decode())
    return ET.fromstring(data)


def suite_of(step: StepResult, notebook: Any = None) -> ET.Element:
    run = sample.account().run
    assert run is not None
    notebooks = {step.name: notebook} if notebook is not None else {}
    return rendered(Account(replace(run, steps=(step,)), None, None, notebooks))[0]


def cases(suite: ET.Element) -> dict[str, str]:
    """What each case says: the name of its first child, or ``passed``."""
    found = suite.findall("testcase")
    return {case.get("name", ""): case[0].tag if len(case) else "passed" for case in found}


def step_at(index: int) -> StepResult:
    run = sample.account().run
    assert run is not None
    return run.steps[index]


def test_it_is_valid_and_a_foreign_reader_finds_the_same_numbers() -> None:
    ((_, data),) = JUnit().render(sample.account())
    SCHEMA.validate(data.decode())
    read = junitparser.JUnitXml.fromstring(data)
    suites = list(read)
    assert [suite.name for suite in suites] == ["train", "evaluate", "publish", "gates"]
    assert (read.tests, read.failures, read.errors) == (14, 3, 1)
    assert [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in suites] == [
        (len(results), *(sum(isinstance(each, kind) for each in results) for kind in kinds))
        for results, kinds in (
            (
                [(case.result or [None])[0] for case in suite],
                (junitparser.Failure, junitparser.Error, junitparser.Skipped),
            )
            for suite in suites
        )
    ]


def test_each_cell_is_a_case_with_its_title_and_time() -> None:
    case = suite_of(step_at(0)).find("testcase")
    assert case is not None
    assert case.attrib == {"classname": "notebooks/train.ipynb", "name": "[1] Load the data (load)", "time": "0.412"}


def test_the_failing_cell_holds_message_hint_source_and_traceback() -> None:
    failure = suite_of(step_at(0)).find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "ValueError: regularisation must be positive, found -1.0"
    for part in ("cell 4 (fit)", "give `regularisation` a value", "from model import fit", "----> 3 fit("):
        assert part in (failure.text or "")


def test_cells_that_were_not_reached_are_skipped_and_those_left_out_are_no_cases() -> None:
    suite = suite_of(step_at(0), sample.train_notebook())
    assert cases(suite)["[5] plot_loss() (plot)"] == "skipped"
    assert not [name for name in cases(suite) if "help(fit)" in name]


def test_attempts_cache_and_allowed_errors_are_told_in_the_output() -> None:
    assert suite_of(step_at(0)).findtext("system-out") == "tried 2 times"
    suite = suite_of(step_at(1))
    assert "cache: not used" in (suite.findtext("system-out") or "")
    assert any("allowed-error" in (case.findtext("system-out") or "") for case in suite.findall("testcase"))


def test_an_output_that_differs_is_a_failure_of_its_cell() -> None:
    failure = Failure(FailureKind.OUTPUTS_DIFFER, "1 output differs")
    suite = suite_of(replace(step_at(1), status=StepStatus.FAILED, failure=failure))
    assert cases(suite)["[4] Wide (wide)"] == "failure"
    assert suite.get("failures") == "1"


def test_a_skipped_step_is_one_skipped_case() -> None:
    assert cases(suite_of(step_at(2))) == {"publish": "skipped"}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FailureKind.RAISED, "failure"),
        (FailureKind.TIMED_OUT, "failure"),
        (FailureKind.OUTPUT_MISSING, "failure"),
        (FailureKind.KERNEL_DIED, "error"),
        (FailureKind.KERNEL_START, "error"),
        (FailureKind.BAD_NOTEBOOK, "error"),
        (FailureKind.TERMINATED, "error"),
    ],
)
def test_a_step_that_failed_before_its_cells_is_one_case(kind: FailureKind, said: str) -> None:
    step = StepResult("train", StepStatus.FAILED, seconds=2.5, failure=Failure(kind, "no"))
    suite = suite_of(step)
    assert cases(suite) == {"train": said}
    assert suite.get("time") == "2.500"


def test_a_failure_after_the_last_cell_is_a_case_of_its_own() -> None:
    failure = Failure(FailureKind.OUTPUT_MISSING, "it did not write its output")
    suite = suite_of(replace(step_at(1), differences=(), status=StepStatus.FAILED, failure=failure))
    assert cases(suite)["evaluate"] == "failure"
    assert suite.get("failures") == "1"


def test_a_step_without_cells_that_went_well_is_one_case() -> None:
    assert cases(suite_of(StepResult("train", StepStatus.OK, seconds=1.0))) == {"train": "passed"}


@pytest.mark.parametrize("text", [sample.HOSTILE, "\x00\x0b\ufffe\ud800", "]]>", "a\nb\r\nc", "\U0001f600"])
def test_any_text_in_a_cell_gives_valid_xml(text: str) -> None:
    failure = Failure(FailureKind.RAISED, text, text, 0, text, source=text, traceback=text)
    cell = CellResult(0, text, CellStatus.FAILED, 0.1, title=text)
    assert suite_of(StepResult("x", StepStatus.FAILED, cells=(cell,), failure=failure)).get("failures") == "1"

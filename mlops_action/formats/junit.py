"""``junit.xml``: a suite for each step with a test case for each cell, and a suite for the gates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from mlops_action.formats.interface import Account, Files
from mlops_action.formats.story import cell_title, cells_of, is_failing, joined, left_out, lines_of, step_notes
from mlops_action.formats.verdict_text import details
from mlops_action.records import CellResult, Difference, Failure, StepResult, Verdict
from mlops_action.vocabulary import CellStatus, FailureKind, Outcome, StepStatus

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FAILURES = {
    FailureKind.RAISED,
    FailureKind.TIMED_OUT,
    FailureKind.OUTPUTS_DIFFER,
    FailureKind.OUTPUT_MISSING,
    FailureKind.METRIC_UNREADABLE,
}
"""What the notebook did wrong; everything else went wrong around it and is an error."""


class JUnit:
    """The dialect of Ant, which Jenkins, GitLab and GitHub's reporters share.

    A gate that failed is a failure; one that could not be judged is an error; one that
    only warns or informs passes and says so in its output.
    """

    def render(self, account: Account) -> Files:
        """``junit.xml``, UTF-8."""
        root = ET.Element("testsuites", name="mlops-action")
        for step in account.run.steps if account.run is not None else ():
            _StepSuite(step, account.notebooks.get(step.name)).add_to(root)
        if account.verdicts is not None:
            suite = ET.SubElement(root, "testsuite", name="gates")
            for verdict in account.verdicts.verdicts:
                _gate(suite, verdict)
            _count(suite)
        for name in ("tests", "failures", "errors"):
            root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
        root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
        ET.indent(root)
        data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return (("junit.xml", data + b"\n"),)


class _StepSuite:
    """One step: its cells, those that were not reached, and whatever failed outside of a cell."""

    def __init__(self, step: StepResult, notebook: Mapping[str, Any] | None) -> None:
        self.step = step
        self.notebook = notebook or {}
        self.suite = ET.Element("testsuite", name=_clean(step.name))
        self.classname = _clean(step.source.path if step.source is not None else step.name)
        self.differences: dict[int, list[Difference]] = {}
        for each in step.differences:
            self.differences.setdefault(each.cell, []).append(each)

    def add_to(self, root: ET.Element) -> None:
        for cell in self.step.cells:
            self._cell(cell)
        for title in self._unreached():
            ET.SubElement(self._case(title), "skipped", message="not reached")
        self._whole_step()
        _count(self.suite)
        self.suite.set("time", f"{self.step.seconds:.3f}")
        if self.step.started:
            self.suite.set("timestamp", _clean(self.step.started))
        notes = step_notes(self.step)
        if notes:
            ET.SubElement(self.suite, "system-out").text = _clean("\n".join(notes))
        root.append(self.suite)

    def _case(self, name: str, seconds: float = 0.0) -> ET.Element:
        return ET.SubElement(self.suite, "testcase", classname=self.classname, name=_clean(name), time=f"{seconds:.3f}")

    def _cell(self, cell: CellResult) -> None:
        case = self._case(cell_title(cell), cell.seconds)
        failure = self.step.failure
        if failure is not None and is_failing(self.step, cell.index, cell.id):
            _problem(case, failure)
        elif differences := self.differences.get(cell.index):
            element = ET.SubElement(case, "failure", type=str(FailureKind.OUTPUTS_DIFFER))
            element.set("message", _clean(differences[0].what))
            element.text = _clean("\n".join(_difference(each) for each in differences))
        elif cell.status is CellStatus.FAILED:
            ET.SubElement(case, "failure", type=str(FailureKind.RAISED), message="the cell failed")
        elif cell.status is CellStatus.ALLOWED:
            ET.SubElement(case, "system-out").text = "allowed-error: the cell raised, and was allowed to"

    def _unreached(self) -> Iterator[str]:
        """Titles of the code cells that should have run and did not, when the notebook is known."""
        if self.step.failure is None or not self.step.cells:
            return
        seen = {cell.id for cell in self.step.cells}
        for index, cell in enumerate(cells_of(self.notebook)):
            name, source = str(cell.get("id", "")), joined(cell.get("source")).strip()
            if cell.get("cell_type") == "code" and source and name not in seen and not left_out(cell):
                yield cell_title(CellResult(index, name, CellStatus.OK, title=source.splitlines()[0][:80]))

    def _whole_step(self) -> None:
        """A case for the step itself where its cells do not tell the whole story."""
        failure = self.step.failure
        if failure is not None and self.step.status is StepStatus.SKIPPED:
            ET.SubElement(self._case(self.step.name), "skipped", message=_clean(failure.message))
        elif failure is not None and not self._told_by_a_cell(failure):
            _problem(self._case(self.step.name, 0.0 if self.step.cells else self.step.seconds), failure)
        elif failure is None and not self.step.cells:
            self._case(self.step.name, self.step.seconds)

    def _told_by_a_cell(self, failure: Failure) -> bool:
        differing = self.differences if failure.kind is FailureKind.OUTPUTS_DIFFER else {}
        return any(is_failing(self.step, cell.index, cell.id) or cell.index in differing for cell in self.step.cells)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", "\n".join(lines_of(text)))


def _problem(case: ET.Element, failure: Failure) -> None:
    kind = "failure" if failure.kind in _FAILURES else "error"
    problem = ET.SubElement(case, kind, type=str(failure.kind), message=_clean(failure.message))
    where = f"cell {failure.cell} ({failure.cell_id})" if failure.cell is not None else ""
    parts = (where, failure.hint, failure.source, failure.traceback)
    problem.text = _clean("\n\n".join(part for part in parts if part))


def _difference(each: Difference) -> str:
    return f"{each.what}\nsaved: {each.expected}\nnow:   {each.found}"


def _gate(suite: ET.Element, verdict: Verdict) -> None:
    case = ET.SubElement(suite, "testcase", classname="gates", name=_clean(verdict.gate), time="0.000")
    detail = _clean(
        "\n".join(part for part in (verdict.message, *details(verdict), verdict.hint, verdict.origin) if part)
    )
    if verdict.outcome is Outcome.FAIL:
        ET.SubElement(case, "failure", type=verdict.rule, message=_clean(verdict.message)).text = detail
    elif verdict.outcome is Outcome.INCONCLUSIVE:
        ET.SubElement(case, "error", type="inconclusive", message=_clean(verdict.message)).text = detail
    elif verdict.outcome in {Outcome.WARN, Outcome.INFO} or verdict.evidence is not None:
        ET.SubElement(case, "system-out").text = detail


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite):.3f}")

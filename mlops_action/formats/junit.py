"""``junit.xml``: a test case for each step and each gate, as every CI system reads it."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from mlops_action.formats.interface import Account
from mlops_action.records import StepResult, Verdict
from mlops_action.sanitize import plain
from mlops_action.vocabulary import Outcome, StepStatus

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnit:
    """The dialect of Ant, which Jenkins, GitLab and GitHub's reporters share.

    A gate that failed is a failure; one that could not be judged is an error; one that
    warned passes and says so in its output.
    """

    def render(self, account: Account) -> bytes:
        """The report's bytes, UTF-8."""
        root = ET.Element("testsuites", name="mlops-action")
        if account.run is not None:
            suite = ET.SubElement(root, "testsuite", name="steps")
            for step in account.run.steps:
                _step(suite, step)
            _count(suite)
        if account.verdicts is not None:
            suite = ET.SubElement(root, "testsuite", name="gates")
            for verdict in account.verdicts.verdicts:
                _gate(suite, verdict)
            _count(suite)
        ET.indent(root)
        data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return data + b"\n"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", "\n".join(plain(line) for line in text.splitlines()))


def _step(suite: ET.Element, step: StepResult) -> None:
    case = ET.SubElement(suite, "testcase", classname="steps", name=_clean(step.name), time=f"{step.seconds:.3f}")
    if step.failure is None:
        return
    if step.status is StepStatus.SKIPPED:
        ET.SubElement(case, "skipped", message=_clean(step.failure.message))
        return
    problem = ET.SubElement(case, "error", type=str(step.failure.kind), message=_clean(step.failure.message))
    where = f"cell {step.failure.cell} ({step.failure.cell_id})\n" if step.failure.cell is not None else ""
    problem.text = _clean("\n".join((where, step.failure.hint, step.failure.source, step.failure.traceback)))


def _gate(suite: ET.Element, verdict: Verdict) -> None:
    case = ET.SubElement(suite, "testcase", classname="gates", name=_clean(verdict.gate), time="0.000")
    detail = _clean("\n".join(part for part in (verdict.message, verdict.hint, verdict.origin) if part))
    if verdict.outcome is Outcome.FAIL:
        ET.SubElement(case, "failure", type=verdict.rule, message=_clean(verdict.message)).text = detail
    elif verdict.outcome is Outcome.INCONCLUSIVE:
        ET.SubElement(case, "error", type="inconclusive", message=_clean(verdict.message)).text = detail
    elif verdict.outcome is Outcome.WARN:
        ET.SubElement(case, "system-out").text = detail


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite):.3f}")

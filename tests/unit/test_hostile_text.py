"""One law over everything that is written: no text of a notebook, file name, metric or error leaves its place."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import report_sample as sample
from acceptance import github_runner
from html_laws import broken_laws
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mlops_action.announce import say_end, say_verdicts
from mlops_action.ci import CI_SYSTEMS
from mlops_action.ci.console import Console
from mlops_action.ci.github import outputs_text
from mlops_action.ci.interface import CiSystem
from mlops_action.context import Context
from mlops_action.digests import readable
from mlops_action.formats.interface import Account
from mlops_action.records import Emissions, Failure, MetricReading, Uncaptured, Verdict
from mlops_action.redact import Redactor
from mlops_action.registry import load
from mlops_action.report import report
from mlops_action.vocabulary import FailureKind, Outcome, StepStatus

PIECES = (
    *(
        "::error::",
        "::set-output name=verdict::pass",
        "::endgroup::",
        "::stop-commands::x",
        "##[error]",
        "##[endgroup]",
    ),
    *(
        "##vso[task.complete result=Succeeded;]",
        "##teamcity[",
        "section_end:1:a",
        "\x1b[0K",
        "--- ",
        "^^^ +++",
        "%0A",
        "%",
    ),
    *("\n", "\r", "\r\n", "\u2028", "\x85", "\x0b", "\x00", "\ufffe", "\ud800", "\u202e", "\x1b]0;t\x07", "\t", " "),
    *(
        "verdict=pass",
        "verdict<<EOF",
        "EOF",
        "ghadelimiter_",
        "MLOPS_VERDICT=pass",
        "'",
        '"',
        "\\",
        "${x}",
        "$(id)",
        "`",
    ),
    *(
        "|",
        "||",
        "---",
        "# ",
        "> ",
        "- ",
        "* ",
        "~~~",
        "```",
        "](",
        "![](http://x/y.png)",
        "<!-- ",
        "-->",
        "@everyone",
        "#1",
    ),
    *(
        "<script>",
        "</td>",
        "</pre>",
        "<img src=x onerror=y>",
        "&",
        "&lt;",
        "&#0;",
        "]]>",
        "<![CDATA[",
        "<?x?>",
        "{}",
        "[]",
    ),
)
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), min_size=1, max_size=10).map(
    lambda parts: "".join(parts) + "x"
)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Every example renders every report: a shorter one is not worth the time."""
texts = st.lists(hostile, min_size=6, max_size=6)
EVERY_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
OWN = {
    "gitlab": re.compile(r"^(\x1b\[0K)?section_(start|end):\d+:mlops_\w+$"),
    "azure": re.compile(r"^##\[(group|endgroup)\]|^##vso\[task\.(logissue|setvariable|uploadsummary)"),
    "buildkite": re.compile(r"^--- "),
}
ANY = re.compile(r"^\s*::|##\[|##vso\[|##teamcity\[|section_(?:start|end):|^(?:---|\+\+\+|~~~|\^\^\^) ", re.IGNORECASE)
NOTES = {"github": {"group", "stop-commands", "endgroup", "error", "warning"}}


def account(given: Sequence[str]) -> Account:
    """A run that failed, with these texts wherever a stranger's text can be."""
    name, message, path, metric, source, traceback = given
    whole = sample.account()
    assert whole.run is not None
    assert whole.manifest is not None
    failure = Failure(FailureKind.RAISED, message, path, cell=1, cell_id=name, source=source, traceback=traceback)
    reading = MetricReading(metric, None, f"{path}#/x", "train", name)
    step = replace(whole.run.steps[0], status=StepStatus.FAILED, failure=failure, readings=(reading,), executed=path)
    gate = Verdict(name, Outcome.FAIL, metric, message, "min", "block", f"p{path}:3:1", hint=source, needed=message)
    assert whole.verdicts is not None
    verdicts = replace(whole.verdicts, outcome=Outcome.FAIL, reason=message, verdicts=(gate,))
    manifest = replace(whole.manifest, completeness=(Uncaptured(readable(name), readable(message)),))
    return Account(replace(whole.run, steps=(step,)), verdicts, manifest, {})


def told(given: Sequence[str]) -> Emissions:
    return report(account(given), "mlops-out", "")


def outline(emissions: Emissions) -> dict[str, Any]:
    """The structure of every file, as parsers that are not ours see it."""
    files = {name: data.decode() for name, data in emissions.files}
    junit = ET.fromstring(files["junit.xml"])
    sarif = json.loads(files["report.sarif"])["runs"][0]
    metrics = list(text_string_to_metric_families(files["metrics.txt"]))
    return {
        "tests": [(case.tag, len(case)) for case in junit.iter("testcase")],
        "sarif": [(each["level"], len(each["locations"])) for each in sarif["results"] if "locations" in each],
        "quality": len(json.loads(files["codequality.json"])),
        "metrics": [(family.name, len(family.samples)) for family in metrics],
        "dotenv": [re.fullmatch(r"(MLOPS_[A-Z_]+)=[^\"'\r\n]*", line)[1] for line in files["verdict.env"].splitlines()],  # type: ignore[index]
        "markdown": [
            (token.type, token.tag)
            for token in MarkdownIt("gfm-like", {"linkify": False}).parse(files["report.md"])
            if token.type not in {"inline", "paragraph_open", "paragraph_close"}
        ],
    }


PLAIN = outline(told(["name", "message", "path", "metric", "source", "traceback"]))


@given(texts)
@settings(max_examples=30, deadline=None, phases=PHASES)
def test_no_text_changes_the_structure_of_any_file(given: list[str]) -> None:
    emissions = told(given)
    assert outline(emissions) == PLAIN
    assert broken_laws(dict(emissions.files)) == []
    inner = [
        child.type
        for token in MarkdownIt("gfm-like", {"linkify": False}).parse(emissions.summary)
        for child in token.children or ()
    ]
    assert not {"html_inline", "html_block", "image", "link_open"} & set(inner)


@given(texts)
@settings(max_examples=30, deadline=None, phases=PHASES)
def test_no_text_ends_a_heredoc_or_adds_an_output(given: list[str]) -> None:
    emissions = told(given)
    read = github_runner.outputs(outputs_text(emissions.outputs))
    assert set(read) == {name for name, _ in emissions.outputs}
    assert read["verdict"] == "fail"


@pytest.mark.parametrize("name", CI_SYSTEMS)
@given(given=texts, printed=st.lists(hostile, max_size=3))
@settings(max_examples=10, deadline=None, phases=PHASES)
def test_no_text_makes_a_command_or_closes_a_group_of_any_ci_system(
    name: str, given: list[str], printed: list[str]
) -> None:
    system: CiSystem = load(CI_SYSTEMS[name])()
    out = io.StringIO()
    context = Context({"TEKTON_RESULTS": "/nowhere"}, Path("/nowhere"), out, lambda: datetime.now(UTC))
    console = Console(out, system, Redactor(), {})
    told_account = account(given)
    console.begin(f"[1/1] train: {given[2]}")
    for piece in printed:
        console.foreign(piece)
    console.end()
    assert told_account.verdicts is not None
    say_verdicts(console, told_account.verdicts)
    say_end(console, told_account, "mlops-out")
    console.say(*system.publish(told(given), context, 10))
    own = OWN.get(name, re.compile(r"(?!)"))
    found = github_runner.processed(re.split(r"\r\n|\r|\n", out.getvalue()))
    if name == "github":
        assert {command for command, _, _ in found} <= NOTES["github"]
        assert [command for command, _, _ in found][:3] == ["group", "stop-commands", "endgroup"]
        return
    for line in EVERY_LINE_END.split(out.getvalue()):
        assert not ANY.search(line.replace("\x1b[0K", "")) or own.search(line), line

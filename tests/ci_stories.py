"""The stories that every CI system is told, and what its log then is."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import report_sample as sample

from mlops_action.announce import say_end, say_verdicts
from mlops_action.ci.console import Console
from mlops_action.ci.interface import CiSystem
from mlops_action.context import Context
from mlops_action.formats.interface import Account
from mlops_action.records import Failure, Verdict, Verdicts
from mlops_action.redact import Redactor
from mlops_action.report import report
from mlops_action.vocabulary import FailureKind, Outcome, StepStatus

ATTACK = (
    "::error::forged\n  ::set-output name=verdict::pass\n##[error]forged\n##[group]x ##[endgroup]\r##[section]y\n"
    "##vso[task.setvariable variable=verdict]pass\n##teamcity[buildStatus status='SUCCESS']\n"
    "\x1b[0Ksection_end:1:x\r\x1b[0K\nsection_start:1:y\r\n--- forged group\n+++ forged\n^^^ +++\n"
    "\x1b]8;;https://example.org\x07link\x1b]8;;\x07 \x1b]0;title\x07\u202eright to left\u2028::error::again\n"
)
ENV = {"CI_JOB_URL": "https://git.example.org/a/b/-/jobs/7", "TEKTON_RESULTS": "/nowhere"}


def _good() -> Account:
    whole = sample.account()
    assert whole.run is not None
    step = replace(whole.run.steps[0], status=StepStatus.OK, failure=None, differences=(), attempts=1)
    return replace(whole, run=replace(whole.run, steps=(step,)), verdicts=_judged(Outcome.PASS), notebooks={})


def _judged(outcome: Outcome, name: str = "floor") -> Verdicts:
    verdict = Verdict(name, outcome, "accuracy", "accuracy 0.91 ...", "min", "block", "mlops.yaml:7:3", limit="0.9")
    return Verdicts("mlops-action/verdicts/v1", "0.2.0", outcome, f"1 gate: {outcome}", (verdict,))


def _ended(status: StepStatus, kind: FailureKind, message: str) -> Account:
    good = _good()
    assert good.run is not None
    step = replace(good.run.steps[0], status=status, failure=Failure(kind, message, "look", cell=1, cell_id="fit"))
    return replace(good, run=replace(good.run, steps=(step,)), verdicts=_judged(Outcome.INCONCLUSIVE))


STORIES: dict[str, tuple[Account, str]] = {
    "all green": (_good(), "epoch 1\nepoch 2\n"),
    "gate failed": (replace(_good(), verdicts=_judged(Outcome.FAIL)), "epoch 1\n"),
    "notebook failed": (_ended(StepStatus.FAILED, FailureKind.RAISED, "ValueError: no"), "epoch 1\n"),
    "inconclusive": (replace(_good(), verdicts=_judged(Outcome.INCONCLUSIVE)), ""),
    "interrupted": (_ended(StepStatus.INTERRUPTED, FailureKind.TERMINATED, "the CI system ended the run"), "epoch"),
    "hostile notebook": (
        replace(
            _ended(StepStatus.FAILED, FailureKind.RAISED, ATTACK), verdicts=_judged(Outcome.INCONCLUSIVE, "a'|]\n::b")
        ),
        ATTACK,
    ),
}


def told(system: CiSystem, name: str, folder: Path, env: dict[str, str] | None = None) -> str:
    """The log of one story, as the system gets it."""
    account, printed = STORIES[name]
    out = io.StringIO()
    context = Context({**ENV, **(env or {})}, folder, out, lambda: datetime.now(UTC))
    console = Console(out, system, Redactor(), {})
    console.begin(f"[1/1] train: train.ipynb {sample.HOSTILE if name.startswith('hostile') else ''}")
    console.foreign(printed)
    console.end()
    if account.verdicts is not None:
        say_verdicts(console, account.verdicts)
    say_end(console, account, "mlops-out")
    (folder / "mlops-out").mkdir(exist_ok=True)
    emissions = report(account, "mlops-out", "")
    for file, data in emissions.files:
        (folder / "mlops-out" / file).parent.mkdir(exist_ok=True)
        (folder / "mlops-out" / file).write_bytes(data)
    console.say(*system.publish(emissions, context, 10))
    return out.getvalue()


def steady(text: str, folder: Path) -> str:
    """A log without what differs from run to run, its control characters made visible."""
    text = text.replace(str(folder), "/work")
    text = re.sub(r"\b[0-9a-f]{32}\b|(?<=mlops_)[0-9a-f]{16}", "TOKEN", text)
    text = re.sub(r"(section_(?:start|end):)\d{9,}", r"\1TIME", text)
    return text.replace("\x1b", "<ESC>").replace("\r", "<CR>")

"""Verdicts + Manifest → Emissions: annotations, summary, outputs and report files."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from mlops_action.formats import REPORTS
from mlops_action.formats.interface import Account
from mlops_action.records import Annotation, Emissions
from mlops_action.registry import load
from mlops_action.stores.folder import JUNIT_FILE, MANIFEST_FILE, REPORT_FILE, RUN_FILE
from mlops_action.vocabulary import Outcome, StepStatus

NOT_JUDGED = "not-judged"
_LEVELS = {Outcome.FAIL: "error", Outcome.INCONCLUSIVE: "error", Outcome.WARN: "warning"}


def report(account: Account, output_dir: str, prefix: str) -> Emissions:
    """Everything for people and for the CI system.

    Args:
        account: what happened.
        output_dir: where the files will be, relative to the project folder.
        prefix: the project folder relative to the repository, so that annotations find their file.
    """
    files = tuple((name, load(entry)().render(account)) for name, entry in REPORTS.items())
    return Emissions(
        annotations=(*_step_annotations(account, prefix), *_gate_annotations(account, prefix)),
        summary=dict(files)[REPORT_FILE].decode(),
        outputs=_outputs(account, PurePosixPath(prefix) / output_dir),
        files=files,
    )


def verdict_text(account: Account) -> str:
    """The verdict as one word for later CI steps: never ``pass`` unless everything was judged and good."""
    if account.verdicts is not None:
        return str(account.verdicts.outcome)
    failed = account.run is not None and any(step.status is not StepStatus.OK for step in account.run.steps)
    return str(Outcome.INCONCLUSIVE) if failed else NOT_JUDGED


def _outputs(account: Account, folder: PurePosixPath) -> tuple[tuple[str, str], ...]:
    verdicts = account.verdicts.verdicts if account.verdicts else ()
    blocked = [each.gate for each in verdicts if each.outcome in {Outcome.FAIL, Outcome.INCONCLUSIVE}]
    outputs = {
        "verdict": verdict_text(account),
        "failed-gates": json.dumps(blocked),
        "report": str(folder / REPORT_FILE),
        "junit": str(folder / JUNIT_FILE),
    }
    if account.run is not None:
        outputs["run"] = str(folder / RUN_FILE)
    if account.manifest is not None:
        outputs |= {"manifest": str(folder / MANIFEST_FILE), "manifest-id": account.manifest.manifest_id}
    return tuple(outputs.items())


def _step_annotations(account: Account, prefix: str) -> list[Annotation]:
    found = []
    for step in account.run.steps if account.run else ():
        failure = step.failure
        if failure is None or step.status is StepStatus.SKIPPED:
            continue
        where = f" in cell {failure.cell} ({failure.cell_id})" if failure.cell is not None else ""
        lines = (f"{failure.message}{where}", failure.hint, failure.source)
        path = step.source.path if step.source else ""
        found.append(
            Annotation(
                "error",
                f"step {step.name} failed",
                "\n".join(line for line in lines if line),
                _in_repository(path, prefix),
            )
        )
    return found


def _gate_annotations(account: Account, prefix: str) -> list[Annotation]:
    found = []
    for verdict in account.verdicts.verdicts if account.verdicts else ():
        level = _LEVELS.get(verdict.outcome)
        if level is None:
            continue
        path, _, line = verdict.origin.rpartition(":")[0].rpartition(":")
        message = "\n".join(part for part in (verdict.message, verdict.hint) if part)
        known = line.isdigit() and not path.startswith(("-", "INPUT_"))
        found.append(
            Annotation(
                level,
                f"gate {verdict.gate}: {verdict.outcome}",
                message,
                _in_repository(path, prefix) if known else "",
                int(line) if known else None,
            )
        )
    return sorted(found, key=lambda each: each.level)


def _in_repository(path: str, prefix: str) -> str:
    return str(PurePosixPath(prefix) / path) if path else ""

"""Verdicts + Manifest → Emissions: annotations, summary, outputs and report files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_action.canonical import sha256_bytes
from mlops_action.formats import FOR_MACHINES, REPORTS
from mlops_action.formats.interface import Account, Told
from mlops_action.formats.openmetrics import METRICS_FILE
from mlops_action.formats.story import worst_first
from mlops_action.formats.verdict_text import details, waived_text
from mlops_action.records import Annotation, Emissions, RunResult
from mlops_action.registry import load
from mlops_action.stores.folder import HTML_FILE, JUNIT_FILE, MANIFEST_FILE, REPORT_FILE, RUN_FILE
from mlops_action.vocabulary import Outcome, StepStatus

MAX_NOTEBOOK = 256 * 1024 * 1024
NOT_JUDGED = "not-judged"
MAX_VALUES = 64 * 1024
"""Longer outputs make GitHub's expressions fail."""
_LEVELS = {Outcome.FAIL: "error", Outcome.INCONCLUSIVE: "error", Outcome.WARN: "warning", Outcome.INFO: "notice"}
_SEVEREST = ("error", "warning", "notice")


def report(account: Account, output_dir: str, prefix: str) -> Emissions:
    """Everything for people and for the CI system.

    Args:
        account: what happened.
        output_dir: where the files will be, relative to the project folder.
        prefix: the project folder relative to the repository, so that annotations find their file.
    """
    files = tuple(each for entry in REPORTS.values() for each in load(entry)().render(account))
    annotations = findings(account, prefix)
    told = Told(account, annotations, _outputs(account, PurePosixPath(prefix) / output_dir))
    others = tuple(each for entry in FOR_MACHINES.values() for each in load(entry)().render(told))
    return Emissions(
        annotations=annotations,
        summary=dict(files)[REPORT_FILE].decode(),
        outputs=told.outputs,
        files=(*others, *files),
    )


def findings(account: Account, prefix: str) -> tuple[Annotation, ...]:
    """What is wrong, the worst first; ``prefix`` is the project folder relative to the repository."""
    return (*_step_annotations(account, prefix), *_gate_annotations(account, prefix))


class ExecutedNotebooks(Mapping[str, Any]):
    """Executed notebooks by step, read when they are asked for: all at once may be more than the memory holds.

    The last one is remembered, as several reports ask for it, and must not be changed. One that is missing, damaged,
    too large, or not below the folder is as if it were not there.
    """

    def __init__(self, folder: Path, run: RunResult | None) -> None:
        """Read those of ``run`` from its output folder."""
        self.folder = folder.resolve()
        self.paths = {step.name: step.executed for step in run.steps if step.executed} if run is not None else {}
        self._last: tuple[str, Any] = ("", None)

    def __getitem__(self, step: str) -> Any:
        """The notebook as nbformat 4 JSON."""
        if self._last[1] is None or self._last[0] != step:
            self._last = (step, self._read(step))
        return self._last[1]

    def _read(self, step: str) -> Any:
        try:
            path = (self.folder / self.paths[step]).resolve()
            ours = path.is_relative_to(self.folder) and path.is_file()
            found = json.loads(path.read_bytes()) if ours and path.stat().st_size <= MAX_NOTEBOOK else None
        except (OSError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise KeyError(step)
        return found

    def __iter__(self) -> Iterator[str]:
        """The steps that should have one."""
        return iter(self.paths)

    def __len__(self) -> int:
        """How many steps should have one."""
        return len(self.paths)


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
        "report-html": str(folder / HTML_FILE),
        "junit": str(folder / JUNIT_FILE),
    }
    if account.run is not None:
        values = {step.name: step.values for step in account.run.steps if step.values}
        text = json.dumps(values)
        outputs["run"] = str(folder / RUN_FILE)
        outputs["metrics-file"] = str(folder / METRICS_FILE)
        outputs["values"] = text if len(text) <= MAX_VALUES else "{}"  # the whole is in run.json
    if account.manifest is not None:
        from mlops_action.assemble import encode_manifest  # gates on metric files have no manifest

        outputs |= {"manifest": str(folder / MANIFEST_FILE), "manifest-id": account.manifest.manifest_id}
        outputs["manifest-digest"] = f"sha256:{sha256_bytes(encode_manifest(account.manifest))}"
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
    for verdict in worst_first(account.verdicts) if account.verdicts else ():
        level = _LEVELS.get(verdict.outcome)
        if level is None:
            continue
        path, line = place_of(verdict.origin)
        message = "\n".join(part for part in (verdict.message, *details(verdict), verdict.hint) if part)
        found.append(
            Annotation(
                level,
                f"gate {verdict.gate}: {verdict.outcome}",
                message,
                _in_repository(path, prefix),
                line,
                "; ".join(waived_text(use) for use in verdict.waivers),
            )
        )
    return sorted(found, key=lambda each: _SEVEREST.index(each.level))


def place_of(origin: str) -> tuple[str, int | None]:
    """File and line of ``gates.yaml:4:3``; nothing for what is in no file of the project."""
    path, _, line = origin.rpartition(":")[0].rpartition(":")
    known = line.isdigit() and not path.startswith(("-", "INPUT_"))
    return (path, int(line)) if known else ("", None)


def _in_repository(path: str, prefix: str) -> str:
    return str(PurePosixPath(prefix) / path) if path else ""

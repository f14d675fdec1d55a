"""What every report tells about a run, whatever its notation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_action.config.values import duration_text, size_text
from mlops_action.formats.interface import Account
from mlops_action.notebooks.cells import MARK
from mlops_action.notebooks.saving import BANNER
from mlops_action.records import CellResult, MetricReading, RunResult, StepResult, Verdict, Verdicts
from mlops_action.sanitize import inline, plain
from mlops_action.vocabulary import CellStatus, Outcome, StepStatus

MARKS = {Outcome.PASS: "✅", Outcome.FAIL: "❌", Outcome.WARN: "⚠️", Outcome.INCONCLUSIVE: "❔", Outcome.INFO: "ℹ️"}
STEP_MARKS = {StepStatus.OK: "✅", StepStatus.FAILED: "❌", StepStatus.SKIPPED: "⏭️", StepStatus.INTERRUPTED: "⏹️"}
NOTICEABLE_SECONDS = 1.0
BRIEF_SECONDS = 0.1
SLOWEST = 10
_WORST_FIRST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.INFO, Outcome.PASS)


def headline(account: Account) -> tuple[Outcome | None, str, str]:
    """The outcome, the title and the reason in one sentence."""
    if account.verdicts is not None:
        return account.verdicts.outcome, f"Verdict: {account.verdicts.outcome}", account.verdicts.reason
    if account.run is not None and any(step.status is not StepStatus.OK for step in account.run.steps):
        return Outcome.FAIL, "A step failed", ""
    return None, "Steps ran; nothing was judged", ""


def worst_first(verdicts: Verdicts) -> list[Verdict]:
    """The verdicts, those that need attention first."""
    return sorted(verdicts.verdicts, key=lambda each: _WORST_FIRST.index(each.outcome))


def broken_steps(run: RunResult | None) -> list[StepResult]:
    """Steps that failed themselves, not for want of another one."""
    steps = run.steps if run is not None else ()
    return [step for step in steps if step.failure is not None and step.status is not StepStatus.SKIPPED]


def is_failing(step: StepResult, index: int, cell_id: str) -> bool:
    """Whether a cell is the one that the step failed in; the id decides, where there is one."""
    failure = step.failure
    if failure is None or failure.cell is None:
        return False
    return failure.cell_id == cell_id if failure.cell_id and cell_id else failure.cell == index


def cell_title(cell: CellResult) -> str:
    """``[3] Fit the model (fit)``: place, title and id on one line."""
    parts = (f"[{cell.index}]", inline(cell.title), f"({inline(cell.id)})" if cell.id else "")
    return " ".join(part for part in parts if part)


def cells_text(step: StepResult) -> str:
    """``3/5`` cells, or empty where there were none."""
    return f"{step.cells_run}/{step.cells_total}" if step.cells_total else ""


def peak_memory(step: StepResult) -> str:
    """The most memory that any cell of the step held, or empty."""
    return memory_text(max((cell.peak_memory for cell in step.cells if cell.peak_memory is not None), default=None))


def value_text(reading: MetricReading) -> str:
    """A metric's value; ``none`` where there is no number."""
    return "none" if reading.value is None else str(reading.value)


def memory_text(count: int | None) -> str:
    """``1.5 GiB``, or empty when it is not known."""
    return "" if count is None else size_text(count)


def cpu_text(cell: CellResult) -> str:
    """CPU time, or empty when it is not known."""
    return "" if cell.cpu_seconds is None else duration_text(cell.cpu_seconds)


def slowest_cells(run: RunResult) -> list[tuple[StepResult, CellResult]]:
    """The slowest cells of all steps, when any took long enough to be worth a table."""
    cells = [(step, cell) for step in run.steps for cell in step.cells if cell.seconds > BRIEF_SECONDS]
    cells.sort(key=lambda each: -each[1].seconds)
    return cells[:SLOWEST] if cells and cells[0][1].seconds > NOTICEABLE_SECONDS else []


def step_notes(step: StepResult) -> list[str]:
    """What is uncommon about how a step ran: retries, cache, allowed errors, differences, cut outputs."""
    notes = [f"tried {step.attempts} times"] if step.attempts > 1 else []
    notes += [f"cache: {step.cached}"] if step.cached else []
    allowed = sum(cell.status is CellStatus.ALLOWED for cell in step.cells)
    notes += [f"{allowed} cell{'' if allowed == 1 else 's'} raised and was allowed to"] if allowed else []
    count = len(step.differences)
    notes += [f"{count} output{' is' if count == 1 else 's are'} not what is saved"] if count else []
    cut = sum(cell.output_cut for cell in step.cells)
    notes += [f"{size_text(cut)} of output not kept"] if cut else []
    return notes


def cells_of(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells of an executed notebook, without the notes on a failure that we put there ourselves."""
    cells = notebook.get("cells")
    whole = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    return [cell for cell in whole if _mark(cell).get(BANNER) is not True]


def _mark(cell: Mapping[str, Any]) -> dict[str, Any]:
    metadata = cell.get("metadata")
    mark = metadata.get(MARK) if isinstance(metadata, dict) else None
    return mark if isinstance(mark, dict) else {}


def left_out(cell: Mapping[str, Any]) -> bool:
    """Whether a cell of an executed notebook was left out on request."""
    return bool(_mark(cell).get("skipped"))


def joined(text: Any) -> str:
    """A multi-line text as nbformat stores it: one text or a list of lines; anything else is empty."""
    if isinstance(text, list):
        return "".join([part for part in text if isinstance(part, str)])
    return text if isinstance(text, str) else ""


def lines_of(text: str) -> list[str]:
    """Foreign text as lines without control characters."""
    return [plain(line) for line in text.splitlines()]


def clipped(text: str, limit: int) -> str:
    """At most ``limit`` characters, and how many more there were."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"

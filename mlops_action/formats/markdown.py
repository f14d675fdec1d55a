"""``report.md`` and the step summary: the verdict first, then why."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlops_action.config.values import duration_text
from mlops_action.formats.interface import Account
from mlops_action.records import Failure, RunResult, StepResult, Verdict, Verdicts
from mlops_action.sanitize import inline, plain
from mlops_action.vocabulary import Outcome, StepStatus

MARKS = {Outcome.PASS: "✅", Outcome.FAIL: "❌", Outcome.WARN: "⚠️", Outcome.INCONCLUSIVE: "❔"}
STEP_MARKS = {StepStatus.OK: "✅", StepStatus.FAILED: "❌", StepStatus.SKIPPED: "⏭️", StepStatus.INTERRUPTED: "⏹️"}
MAX_ROWS = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~@])")


class Markdown:
    """GitHub-flavoured Markdown without HTML."""

    def render(self, account: Account) -> bytes:
        """The report's bytes, UTF-8."""
        parts = [*_headline(account)]
        if account.verdicts is not None and account.verdicts.verdicts:
            parts += ["## Gates", *_gates(account.verdicts)]
        if account.run is not None:
            parts += _failures(account.run)
            parts += ["## Steps", *_steps(account.run), *_metrics(account.run)]
        if account.manifest is not None:
            parts += _manifest(account)
        return ("\n\n".join(parts) + "\n").encode("utf-8", errors="replace")


def escaped(text: str) -> str:
    """Text as one line of Markdown that shows just what it says; pairs of backticks make code."""
    parts = inline(text).split("`")
    if len(parts) % 2 == 0:
        parts = ["`".join(parts)]
    return "".join(f"`{_in_code(part)}`" if i % 2 and part else _plain(part) for i, part in enumerate(parts))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("://", ":\u200b//")


def _in_code(text: str) -> str:
    return text.replace("|", "\\|")


def fenced(text: str) -> str:
    """Foreign text as a code block that it cannot end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n" + "\n".join(plain(line) for line in text.splitlines()) + f"\n{fence}"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of already escaped cells, cut with a count after ``MAX_ROWS``."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows[:MAX_ROWS])]
    if len(rows) > MAX_ROWS:
        lines.append(f"\n… and {len(rows) - MAX_ROWS} more rows")
    return "\n".join(lines)


def _headline(account: Account) -> list[str]:
    if account.verdicts is not None:
        outcome = account.verdicts.outcome
        return [f"# {MARKS[outcome]} Verdict: {outcome}", escaped(account.verdicts.reason)]
    failed = [step for step in account.run.steps if step.status is not StepStatus.OK] if account.run else []
    return ["# ❌ A step failed" if failed else "# Steps ran; nothing was judged"]


def _gates(verdicts: Verdicts) -> list[str]:
    ranked = sorted(verdicts.verdicts, key=lambda each: list(_WORST).index(each.outcome))
    rows = [_gate_row(each) for each in ranked]
    return [table(("", "Gate", "Why", "Would pass", "Rule"), rows)]


_WORST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)


def _gate_row(verdict: Verdict) -> tuple[str, ...]:
    why = escaped(verdict.message) + (f" ({escaped(verdict.hint)})" if verdict.hint else "")
    needed = "" if verdict.outcome is Outcome.PASS else escaped(verdict.needed)
    mark = f"{MARKS[verdict.outcome]} {verdict.outcome}"
    return (mark, escaped(verdict.gate), why, needed, escaped(verdict.origin))


def _failures(run: RunResult) -> list[str]:
    parts: list[str] = []
    for step in run.steps:
        if step.failure is not None and step.status is not StepStatus.SKIPPED:
            parts += [f"## ❌ Step {escaped(step.name)} failed", *_failure(step, step.failure)]
    return parts


def _failure(step: StepResult, failure: Failure) -> list[str]:
    parts = [f"**{escaped(failure.message)}**" + (f" in {place_of(step)}" if failure.cell is not None else "")]
    if failure.hint:
        parts.append(f"What to do: {escaped(failure.hint)}.")
    if failure.source:
        parts += ["The cell:", fenced(failure.source)]
    if failure.traceback:
        parts += ["What the kernel said:", fenced(failure.traceback)]
    if step.executed:
        parts.append(f"The notebook as far as it ran: `{escaped(step.executed)}`")
    return parts


def place_of(step: StepResult) -> str:
    """``cell 3 (id `fit`), line 2`` of a failure."""
    failure = step.failure
    if failure is None or failure.cell is None:
        return ""
    line = f", line {failure.line}" if failure.line else ""
    return f"cell {failure.cell} (id `{escaped(failure.cell_id)}`){line}"


def _steps(run: RunResult) -> list[str]:
    rows = [
        (
            f"{STEP_MARKS[step.status]} {step.status}",
            escaped(step.name),
            f"{step.cells_run}/{step.cells_total}" if step.cells_total else "",
            duration_text(step.seconds) if step.started else "",
            escaped(step.kernel.name) if step.kernel else "",
        )
        for step in run.steps
    ]
    return [table(("", "Step", "Cells", "Time", "Kernel"), rows)]


def _metrics(run: RunResult) -> list[str]:
    rows = [
        (escaped(reading.name), escaped(str(reading.value)), escaped(reading.origin))
        for step in run.steps
        for reading in step.readings
    ]
    return ["## Metrics", table(("Metric", "Value", "Read from"), rows)] if rows else []


def _manifest(account: Account) -> list[str]:
    manifest = account.manifest
    if manifest is None:
        return []
    parts = ["## Manifest", f"`{manifest.manifest_id}`"]
    if manifest.completeness:
        rows = [(escaped(each.what), escaped(each.why)) for each in manifest.completeness]
        parts += ["Not captured:", table(("What", "Why"), rows)]
    return parts

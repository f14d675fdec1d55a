"""``report.md`` and the step summary: the verdict first, then why."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_action.config.values import duration_text
from mlops_action.formats.interface import Account, Files
from mlops_action.formats.markdown_text import Writer, escaped
from mlops_action.formats.story import (
    MARKS,
    STEP_MARKS,
    broken_steps,
    cell_title,
    cells_text,
    cpu_text,
    headline,
    memory_text,
    peak_memory,
    slowest_cells,
    step_notes,
    value_text,
    worst_first,
)
from mlops_action.formats.verdict_text import WAIVER_HEAD, details, part_cells, part_head, waiver_cells
from mlops_action.records import (
    CellResult,
    Difference,
    Failure,
    Manifest,
    MetricReading,
    Part,
    RunResult,
    StepResult,
    Uncaptured,
    Verdict,
    Verdicts,
    WaiverUse,
)
from mlops_action.vocabulary import Outcome

MAX_BYTES = 60_000
"""Comments of merge requests end at 65,536 characters, and several summaries share 1 MiB."""
_BUDGETS = ((200, 2000), (100, 1000), (50, 500), (20, 300), (10, 200), (5, 100), (2, 50))
"""Rows of a table and characters of a text, tried until the report fits."""


class Markdown:
    """GitHub-flavoured Markdown without HTML, at most ``MAX_BYTES`` long."""

    def render(self, account: Account) -> Files:
        """``report.md``, UTF-8."""
        data = b""
        for rows, characters in _BUDGETS:
            parts = _Report(account, Writer(rows, characters)).parts()
            data = ("\n\n".join(parts) + "\n").encode("utf-8", errors="replace")
            if len(data) <= MAX_BYTES:
                break
        return (("report.md", data),)


class _Report:
    """The sections in the order in which they are read."""

    def __init__(self, account: Account, writer: Writer) -> None:
        self.account = account
        self.write = writer

    def parts(self) -> Iterator[str]:
        account = self.account
        yield from self._headline()
        if account.verdicts is not None and account.verdicts.verdicts:
            yield from ("## Gates", self._gates(account.verdicts))
            yield from self._parts(account.verdicts)
            yield from self._waivers(account.verdicts)
            yield from self._policy(account.verdicts)
        if account.run is not None:
            yield from self._failures(account.run)
            yield from ("## Steps", self._steps(account.run))
            yield from self._differences(account.run)
            yield from self._slowest(account.run)
            yield from self._metrics(account.run)
        if account.manifest is not None:
            yield from self._manifest(account.manifest)

    def _headline(self) -> Iterator[str]:
        outcome, title, reason = headline(self.account)
        yield f"# {MARKS[outcome]} {title}" if outcome else f"# {title}"
        if reason:
            yield self.write.text(reason)

    def _gates(self, verdicts: Verdicts) -> str:
        return self.write.table(("", "Gate", "Why", "Would pass", "Rule"), worst_first(verdicts), self._gate)

    def _gate(self, verdict: Verdict) -> tuple[str, ...]:
        text = self.write.text
        why = text(verdict.message) + (f" ({text(verdict.hint)})" if verdict.hint else "")
        further = " · ".join(details(verdict, parts=False))
        why += f" · {text(further)}" if further else ""
        needed = "" if verdict.outcome is Outcome.PASS else text(verdict.needed)
        return (f"{MARKS[verdict.outcome]} {verdict.outcome}", text(verdict.gate), why, needed, text(verdict.origin))

    def _parts(self, verdicts: Verdicts) -> Iterator[str]:
        judged = [each for each in worst_first(verdicts) if each.parts]
        shown = max(1, self.write.rows // 20)
        for verdict in judged[:shown]:
            yield f"### What {self.write.text(verdict.gate)} judged"
            yield self.write.table(part_head(verdict.rule), verdict.parts, self._part)
        if len(judged) > shown:
            yield f"… and the parts of {len(judged) - shown} more gates"

    def _part(self, part: Part) -> tuple[str, ...]:
        mark = f"{MARKS[part.outcome]} {part.outcome}" + ("" if part.counted else " (not counted)")
        return (mark, *map(self.write.text, part_cells(part)))

    def _waivers(self, verdicts: Verdicts) -> Iterator[str]:
        if verdicts.waivers:
            yield from ("## Waivers", self.write.table(WAIVER_HEAD, verdicts.waivers, self._waiver))

    def _policy(self, verdicts: Verdicts) -> Iterator[str]:
        guard = verdicts.guard
        if guard is not None and guard.changes:
            yield "## What this change changes in the policy"
            yield self.write.text(f"By the policy of `{guard.branch}`: {guard.outcome}. {guard.reason}")
            yield self.write.table(("Change",), guard.changes, lambda change: (self.write.text(change),))

    def _waiver(self, use: WaiverUse) -> tuple[str, ...]:
        return tuple(map(self.write.text, waiver_cells(use)))

    def _failures(self, run: RunResult) -> Iterator[str]:
        broken = broken_steps(run)
        shown = max(1, self.write.rows // 20)
        for step in broken[:shown]:
            yield f"## ❌ Step {self.write.text(step.name)} failed"
            if step.failure is not None:
                yield from self._failure(step, step.failure)
        if len(broken) > shown:
            yield f"… and {len(broken) - shown} more steps failed"

    def _failure(self, step: StepResult, failure: Failure) -> Iterator[str]:
        message = f"**{self.write.text(failure.message)}**"
        yield message + (f" in {place_of(step)}" if failure.cell is not None else "")
        if failure.hint:
            yield f"What to do: {self.write.text(failure.hint)}."
        if failure.source:
            yield from ("The cell:", self.write.code(failure.source))
        if failure.traceback:
            yield from ("What the kernel said:", self.write.end_of(failure.traceback))
        if step.executed:
            yield f"The notebook as far as it ran: `{escaped(step.executed)}`"

    def _steps(self, run: RunResult) -> str:
        return self.write.table(("", "Step", "Cells", "Time", "Peak memory", "Kernel", "Notes"), run.steps, self._step)

    def _step(self, step: StepResult) -> tuple[str, ...]:
        return (
            f"{STEP_MARKS[step.status]} {step.status}",
            self.write.text(step.name),
            cells_text(step),
            duration_text(step.seconds) if step.started else "",
            peak_memory(step),
            self.write.text(step.kernel.name) if step.kernel else "",
            self.write.text("; ".join(step_notes(step))),
        )

    def _differences(self, run: RunResult) -> Iterator[str]:
        found = [(step, each) for step in run.steps for each in step.differences]
        if found:
            yield "## Outputs that are not what is saved"
            yield self.write.table(("Step", "Cell", "What", "Saved", "Now"), found, self._difference)

    def _difference(self, found: tuple[StepResult, Difference]) -> tuple[str, ...]:
        (step, each), text = found, self.write.text
        place = f"{each.cell} ({text(each.cell_id)})"
        return (text(step.name), place, text(each.what), text(each.expected), text(each.found))

    def _slowest(self, run: RunResult) -> Iterator[str]:
        found = slowest_cells(run)
        if found:
            yield "## Slowest cells"
            yield self.write.table(("Step", "Cell", "Time", "CPU", "Peak memory"), found, self._slow)

    def _slow(self, found: tuple[StepResult, CellResult]) -> tuple[str, ...]:
        (step, cell), text = found, self.write.text
        figures = (duration_text(cell.seconds), cpu_text(cell), memory_text(cell.peak_memory))
        return (text(step.name), text(cell_title(cell)), *figures)

    def _metrics(self, run: RunResult) -> Iterator[str]:
        found = [reading for step in run.steps for reading in step.readings]
        if found:
            yield from ("## Metrics", self.write.table(("Metric", "Slice", "Value", "Read from"), found, self._metric))

    def _metric(self, reading: MetricReading) -> tuple[str, ...]:
        text = self.write.text
        return (text(reading.name), text(reading.slice), text(value_text(reading)), text(reading.origin))

    def _manifest(self, manifest: Manifest) -> Iterator[str]:
        yield from ("## Manifest", f"`{manifest.manifest_id}`")
        if manifest.completeness:
            yield from ("Not captured:", self.write.table(("What", "Why"), manifest.completeness, self._uncaptured))

    def _uncaptured(self, each: Uncaptured) -> tuple[str, ...]:
        return (self.write.text(each.what), self.write.text(each.why))


def place_of(step: StepResult) -> str:
    """``cell 3 (id `fit`), line 2`` of a failure."""
    failure = step.failure
    if failure is None or failure.cell is None:
        return ""
    line = f", line {failure.line}" if failure.line else ""
    return f"cell {failure.cell} (id `{escaped(failure.cell_id)}`){line}"

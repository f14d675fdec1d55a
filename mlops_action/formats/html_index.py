"""``report.html``: the verdict first, then why, then everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlops_action.config.values import duration_text
from mlops_action.formats.html_builder import Markup, badge, code_block, joined_markup, link, page, table, tag
from mlops_action.formats.html_parts import differences_table, failure_words, parts_table, ticked
from mlops_action.formats.interface import Account
from mlops_action.formats.story import (
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
from mlops_action.formats.verdict_text import WAIVER_HEAD, details, waiver_cells
from mlops_action.records import CellResult, Failure, Manifest, RunResult, StepResult, Verdict, Verdicts
from mlops_action.vocabulary import Outcome

if TYPE_CHECKING:
    from mlops_action.formats.html_notebook import NotebookPage

MAX_PLOTS = 12
MAX_FAILURES = 30


class Index:
    """The first page.

    Args:
        account: what happened.
        pages: the notebooks' pages by step.
    """

    def __init__(self, account: Account, pages: Mapping[str, NotebookPage]) -> None:
        """Prepare; nothing is rendered yet."""
        self.account = account
        self.pages = pages

    def render(self) -> bytes:
        """The page, UTF-8."""
        outcome, title, _ = headline(self.account)
        header = tag("header", *self._header(), class_=f"verdict {outcome or 'none'}")
        return page(f"{title} · mlops-action", "html/report.css", header, tag("main", *self._sections()))

    def _header(self) -> Iterator[Markup]:
        _, title, reason = headline(self.account)
        yield tag("h1", title)
        if reason:
            yield tag("p", ticked(reason), class_="reason")
        run = self.account.run
        if run is not None:
            about = [run.plan.config, run.started, f"mlops-action {run.tool}"]
            yield tag("p", " · ".join(part for part in about if part), class_="about")

    def _sections(self) -> Iterator[Markup]:
        account = self.account
        if account.verdicts is not None and account.verdicts.verdicts:
            yield self._gates(account.verdicts)
            yield from self._waivers(account.verdicts)
        if account.run is not None:
            yield from self._failures(account.run)
            yield self._steps(account.run)
            yield from self._differences(account.run)
            yield from self._metrics(account.run)
            yield from self._plots()
            yield from self._slowest(account.run)
        if account.manifest is not None:
            yield self._manifest(account.manifest)

    def _gates(self, verdicts: Verdicts) -> Markup:
        rows = [self._gate(each) for each in worst_first(verdicts)]
        judged = [each for each in worst_first(verdicts) if each.parts]
        parts = [
            tag("details", tag("summary", f"What {each.gate} judged"), parts_table(each))
            for each in judged[:MAX_FAILURES]
        ]
        if len(judged) > MAX_FAILURES:
            parts.append(tag("p", f"… and the parts of {len(judged) - MAX_FAILURES} more gates", class_="note"))
        return _section("gates", "Gates", table(("Outcome", "Gate", "Why", "Would pass", "Rule"), rows), *parts)

    def _waivers(self, verdicts: Verdicts) -> Iterator[Markup]:
        if verdicts.waivers:
            rows = [tuple(map(ticked, waiver_cells(use))) for use in verdicts.waivers]
            yield _section("waivers", "Waivers", table(("State", *WAIVER_HEAD[1:]), rows))
        guard = verdicts.guard
        if guard is not None and guard.changes:
            said = tag("p", ticked(f"By the policy of `{guard.branch}`: {guard.outcome}. {guard.reason}"))
            changes = table(("Change",), [(ticked(change),) for change in guard.changes])
            yield _section("policy", "What this change changes in the policy", said, changes)

    def _gate(self, verdict: Verdict) -> tuple[Markup, ...]:
        why = [ticked(verdict.message)]
        why += [tag("span", ticked(verdict.hint), class_="hint")] if verdict.hint else []
        why += [tag("span", ticked(line), class_="hint") for line in details(verdict, parts=False)]
        needed = Markup("") if verdict.outcome is Outcome.PASS else ticked(verdict.needed)
        rule = tag("code", verdict.origin)
        return (badge(str(verdict.outcome)), ticked(verdict.gate), joined_markup(why), needed, rule)

    def _failures(self, run: RunResult) -> Iterator[Markup]:
        broken = broken_steps(run)
        parts = [self._failure(step, step.failure) for step in broken[:MAX_FAILURES] if step.failure is not None]
        if len(broken) > MAX_FAILURES:
            parts.append(tag("p", f"… and {len(broken) - MAX_FAILURES} more steps failed", class_="note"))
        if parts:
            yield _section("failures", "What failed", *parts)

    def _failure(self, step: StepResult, failure: Failure) -> Markup:
        parts = [tag("h3", "Step ", tag("code", step.name)), *failure_words(failure)]
        if failure.source:
            parts += [tag("p", "The cell", class_="label"), code_block(failure.source, failure.line)]
        if failure.traceback:
            parts += [tag("p", "What the kernel said", class_="label")]
            parts += [code_block(failure.traceback, kind="output error")]
        if failure.cell is not None and (place := self._place(step, failure.cell, failure.cell_id)):
            parts.append(tag("p", link("See it in the notebook", *place)))
        return tag("article", *parts, class_="failure")

    def _place(self, step: StepResult, index: int, cell_id: str) -> tuple[str, str] | None:
        """Page and fragment of a cell, when it is shown."""
        found = self.pages.get(step.name)
        anchor = found.anchor(index, cell_id) if found is not None else ""
        return (found.path, anchor) if found is not None and anchor else None

    def _steps(self, run: RunResult) -> Markup:
        rows = [
            (
                badge(str(step.status)),
                self._step_name(step),
                cells_text(step),
                duration_text(step.seconds) if step.started else "",
                peak_memory(step),
                step.kernel.name if step.kernel else "",
                ticked("; ".join([*step_notes(step), *_skipped(step)])),
            )
            for step in run.steps
        ]
        head = ("Status", "Step", "Cells", "Time", "Peak memory", "Kernel", "Notes")
        return _section("steps", "Steps", table(head, rows))

    def _step_name(self, step: StepResult) -> Markup:
        found = self.pages.get(step.name)
        return link(step.name, found.path) if found is not None else tag("span", step.name)

    def _differences(self, run: RunResult) -> Iterator[Markup]:
        parts = [
            joined_markup((tag("h3", self._step_name(step)), differences_table(step.differences)))
            for step in run.steps
            if step.differences
        ]
        if parts:
            yield _section("differences", "Outputs that are not what is saved", *parts)

    def _metrics(self, run: RunResult) -> Iterator[Markup]:
        rows = [
            (
                tag("code", reading.name),
                reading.slice,
                tag("span", value_text(reading), class_="number"),
                reading.origin,
            )
            for step in run.steps
            for reading in step.readings
        ]
        if rows:
            yield _section("metrics", "Metrics", table(("Metric", "Slice", "Value", "Read from"), rows))

    def _plots(self) -> Iterator[Markup]:
        plots = [
            tag("li", tag("a", image, href=f"{found.path}#{place}"))
            for found in self.pages.values()
            for image, place in found.gallery.shown
        ]
        if plots:
            more = len(plots) - MAX_PLOTS
            note = tag("p", f"… and {more} more in the notebooks", class_="note") if more > 0 else Markup("")
            yield _section("plots", "Plots", tag("ul", *plots[:MAX_PLOTS], class_="plots"), note)

    def _slowest(self, run: RunResult) -> Iterator[Markup]:
        rows = [
            (
                self._cell(step, cell),
                step.name,
                duration_text(cell.seconds),
                cpu_text(cell),
                memory_text(cell.peak_memory),
            )
            for step, cell in slowest_cells(run)
        ]
        if rows:
            yield _section("slowest", "Slowest cells", table(("Cell", "Step", "Time", "CPU", "Peak memory"), rows))

    def _cell(self, step: StepResult, cell: CellResult) -> Markup:
        place = self._place(step, cell.index, cell.id)
        return link(cell_title(cell), *place) if place else tag("span", cell_title(cell))

    def _manifest(self, manifest: Manifest) -> Markup:
        parts = [tag("p", tag("code", manifest.manifest_id, class_="id"))]
        if manifest.completeness:
            rows = [(ticked(each.what), ticked(each.why)) for each in manifest.completeness]
            parts += [tag("h3", "Not captured"), table(("What", "Why"), rows)]
        return _section("manifest", "Manifest", *parts)


def _skipped(step: StepResult) -> list[str]:
    """Why a step was not run at all."""
    return [step.failure.message] if step.failure is not None and not step.started else []


def _section(name: str, title: str, *parts: str) -> Markup:
    return tag("section", tag("h2", title), *parts, id=name)

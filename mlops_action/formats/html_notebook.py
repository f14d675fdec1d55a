"""The page of one executed notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_action.config.values import duration_text, size_text
from mlops_action.formats.html_builder import Markup, badge, code_block, link, page, table, tag
from mlops_action.formats.html_images import Gallery
from mlops_action.formats.html_outputs import Outputs
from mlops_action.formats.html_parts import differences_table, failure_words, summary_list
from mlops_action.formats.html_prose import prose
from mlops_action.formats.interface import Files
from mlops_action.formats.story import cells_of, clipped, cpu_text, is_failing, joined, left_out, memory_text
from mlops_action.records import CellResult, StepResult

MAX_CELLS = 1000
MAX_SOURCE = 50_000


class NotebookPage:
    """Cells with sources and outputs, what each took, and the failing one within reach.

    Args:
        step: what was done.
        notebook: the executed notebook, nbformat 4.
        name: name of the page, without suffix, and of the folder of its plots.
    """

    def __init__(self, step: StepResult, notebook: Mapping[str, Any], name: str) -> None:
        """Render the cells, so that ``anchors`` and ``gallery`` are known."""
        self.step = step
        self.name = name
        self.path = f"html/{name}.html"
        self.gallery = Gallery(name)
        self.anchors: dict[str, str] = {}
        self._outputs = Outputs(self.gallery)
        self._by_id = {cell.id: cell for cell in step.cells if cell.id}
        self._by_index = {cell.index: cell for cell in step.cells if not cell.id}
        self._failing = ""
        self._cells = list(self._rendered(cells_of(notebook)))

    def files(self) -> Files:
        """The plots and the page, by their names in the output folder."""
        body = (
            tag("header", tag("nav", link("← Report", "../report.html")), *self._top()),
            tag("main", *self._cells, *self._parameters()),
        )
        plots = ((f"html/{self.name}/{name}", data) for name, data in self.gallery.files)
        return (*plots, (self.path, page(f"{self.step.name} · notebook", "report.css", *body)))

    def anchor(self, index: int, cell_id: str) -> str:
        """The fragment of a cell on this page, or empty when it is not shown."""
        return self.anchors.get(cell_id) or self.anchors.get(f"#{index}", "")

    def _top(self) -> Iterator[Markup]:
        step, failure = self.step, self.step.failure
        yield tag("h1", step.name, " ", badge(str(step.status)))
        if step.source is not None:
            yield tag("p", tag("code", step.source.path), class_="path")
        yield summary_list(step)
        if failure is not None:
            jump = link("Go to the failing cell", "", self._failing) if self._failing else Markup("")
            yield tag("div", *failure_words(failure), jump, class_="banner failed", role="note")

    def _rendered(self, cells: list[dict[str, Any]]) -> Iterator[Markup]:
        for index, cell in enumerate(cells):
            failing = is_failing(self.step, index, str(cell.get("id", "")))
            if index < MAX_CELLS or failing:
                yield self._cell(index, cell, failing)
        if len(cells) > MAX_CELLS:
            yield tag("p", f"… and {len(cells) - MAX_CELLS} more cells, in the executed notebook", class_="note")
        if self.gallery.refused:
            yield tag("p", f"{self.gallery.refused} more plots are in the executed notebook", class_="note")

    def _cell(self, index: int, cell: Mapping[str, Any], failing: bool) -> Markup:
        source, anchor = joined(cell.get("source")), f"cell-{index}"
        self.anchors[f"#{index}"] = self.anchors[str(cell.get("id") or f"#{index}")] = anchor
        if cell.get("cell_type") == "markdown":
            return tag("section", prose(source), id=anchor, class_="cell")
        if cell.get("cell_type") != "code":
            return tag("section", code_block(clipped(source, MAX_SOURCE), kind="output"), id=anchor, class_="cell")
        if failing:
            self._failing = anchor
        result = self._by_id.get(str(cell.get("id", ""))) or self._by_index.get(index)
        state = _state(cell, source, result, failing)
        line = self.step.failure.line if failing and self.step.failure is not None else None
        parts = (
            tag("p", link(f"[{index}]", "", anchor), *_facts(result, state), class_="facts"),
            code_block(clipped(source, MAX_SOURCE), line) if source.strip() else Markup(""),
            self._outputs.render(cell.get("outputs"), anchor, result.title if result and result.title else f"{index}"),
            *self._differing(index),
        )
        return tag("section", *parts, id=anchor, class_=f"cell code {state}")

    def _differing(self, index: int) -> Iterator[Markup]:
        found = [each for each in self.step.differences if each.cell == index]
        if found:
            yield tag("p", "Outputs that are not what is saved", class_="label")
            yield differences_table(found)

    def _parameters(self) -> Iterator[Markup]:
        rows = [
            (
                tag("code", each.name),
                "secret" if each.secret else tag("code", clipped(repr(each.value), 500)),
                each.origin,
            )
            for each in self.step.parameters
        ]
        if rows:
            yield tag("h2", "Parameters")
            yield table(("Name", "Value", "From"), rows)


def _state(cell: Mapping[str, Any], source: str, result: CellResult | None, failing: bool) -> str:
    """One word for how the cell looks."""
    if failing:
        return "failed"
    if result is not None:
        return str(result.status)
    if left_out(cell):
        return "left-out"
    return "not-reached" if source.strip() and cell.get("execution_count") is None else "ok"


def _facts(result: CellResult | None, state: str) -> Iterator[str]:
    """What a cell took, in words that stand beside its number."""
    if result is not None and result.title:
        yield tag("span", clipped(result.title, 120), class_="title")
    if state != "ok":
        yield badge(state)
    if result is None:
        return
    cpu, memory = cpu_text(result), memory_text(result.peak_memory)
    figures = [duration_text(result.seconds), f"{cpu} CPU" if cpu else "", memory]
    figures += [f"{size_text(result.output_cut)} of output not kept"] if result.output_cut else []
    yield tag("span", " · ".join(figure for figure in figures if figure), class_="figures")

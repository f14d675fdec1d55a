"""Pieces that the index and the pages of notebooks share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_action.config.values import duration_text
from mlops_action.formats.html_builder import Markup, badge, joined_markup, table, tag
from mlops_action.formats.story import cells_text, clipped, peak_memory, step_notes
from mlops_action.formats.verdict_text import part_cells, part_head
from mlops_action.records import Difference, Failure, StepResult, Verdict

MAX_TEXT = 2000


def ticked(text: str) -> Markup:
    """A sentence in which backticks mark names."""
    parts = clipped(text, MAX_TEXT).split("`")
    if len(parts) % 2 == 0:
        return joined_markup(["`".join(parts)])
    return joined_markup(tag("code", part) if i % 2 else part for i, part in enumerate(parts))


def summary_list(step: StepResult) -> Markup:
    """What a step took and ran in, as terms and values."""
    known = {
        "Time": duration_text(step.seconds) if step.started else "",
        "Cells": cells_text(step),
        "Peak memory": peak_memory(step),
        "Kernel": step.kernel.display_name or step.kernel.name if step.kernel else "",
        "Executed notebook": tag("code", step.executed) if step.executed else "",
        "Notes": ticked("; ".join(step_notes(step))),
    }
    pairs = [tag("div", tag("dt", name), tag("dd", value)) for name, value in known.items() if value]
    return tag("dl", *pairs, class_="summary")


def failure_words(failure: Failure) -> Iterator[Markup]:
    """Message, place and remedy of a failure."""
    place = f"cell {failure.cell}" + (f" ({failure.cell_id})" if failure.cell_id else "")
    place += f", line {failure.line}" if failure.line else ""
    yield tag("p", tag("strong", ticked(failure.message)), f" in {place}" if failure.cell is not None else "")
    if failure.hint:
        yield tag("p", "What to do: ", ticked(failure.hint))


def differences_table(differences: Sequence[Difference]) -> Markup:
    """Outputs that are not what is saved."""
    rows = [
        (
            ticked(each.what),
            *(tag("code", clipped(text, MAX_TEXT)) if text else "" for text in (each.expected, each.found)),
        )
        for each in differences
    ]
    return table(("What", "Saved", "Now"), rows, limit=50)


def parts_table(verdict: Verdict) -> Markup:
    """What a gate judged, one row for each part."""
    rows = [
        (badge(str(part.outcome)) if part.counted else "not counted", *map(ticked, part_cells(part)))
        for part in verdict.parts
    ]
    return table(("Outcome", *part_head(verdict.rule)[1:]), rows)

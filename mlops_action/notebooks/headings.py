"""The headings that each cell stands under, as Markdown has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

_ANCHOR = re.compile(r"\s*\{#[^}]*\}\s*$")


def headings_by_cell(cells: Sequence[Any]) -> list[tuple[str, ...]]:
    """For each cell the headings that it stands under, the outermost first.

    A section ends at the next heading of the same or a higher level.
    """
    above: list[tuple[int, str]] = []
    found = []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for level, text in headings_in(cell["source"]):
                above = [(other, kept) for other, kept in above if other < level] + [(level, text)]
        found.append(tuple(text for _, text in above))
    return found


def headings_in(markdown: str) -> Iterator[tuple[int, str]]:
    """Level and plain text of each heading, underlined ones included; those in code and quotations are none."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open" and opened.level == 0:
            shown = [each.content for each in inline.children or () if each.type in {"text", "code_inline"}]
            yield int(opened.tag[1:]), _ANCHOR.sub("", "".join(shown)).strip()

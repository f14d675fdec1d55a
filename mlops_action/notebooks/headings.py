"""The headings that each cell stands under, as Markdown has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_NO_PARAGRAPH = re.compile(r" {0,3}(?:[-*+>|]|\d+[.)])(?:\s|$)| {4}|\t")
"""Beginnings of lines under which a line of `-` is no heading's."""


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
    """Level and text of each heading, underlined ones included; those in fenced code are none."""
    before, fence = "", ""
    for line in markdown.splitlines():
        marks = _FENCE.fullmatch(line)
        if fence:
            ends = marks is not None and marks[1].startswith(fence) and not marks[2].strip()
            fence = "" if ends else fence
            continue
        if marks:
            fence, before = marks[1], ""
            continue
        heading = _ATX.fullmatch(line)
        underline = _UNDERLINE.fullmatch(line)
        if heading:
            yield len(heading[1]), plain_text(heading[2] or "")
        elif underline and before.strip() and not _NO_PARAGRAPH.match(before):
            yield 1 if underline[1].startswith("=") else 2, plain_text(before)
        before = "" if heading or underline else line


def plain_text(heading: str) -> str:
    """A heading's text without emphasis, code marks, link targets and anchors."""
    text = re.sub(r"<[^>]+>", "", heading)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\s*\{#[^}]*\}\s*$", "", text)
    return re.sub(r"(?<!\w)_+|_+(?!\w)|[*`]+", "", text).strip()

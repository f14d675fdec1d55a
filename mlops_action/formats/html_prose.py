"""Markdown of notebooks as harmless HTML."""

from __future__ import annotations

from functools import cache
from typing import Any

from mlops_action.formats.html_builder import Markup, tag
from mlops_action.formats.html_sanitise import sanitised
from mlops_action.formats.story import clipped

MAX_CHARACTERS = 50_000


def prose(source: str) -> Markup:
    """Rendered Markdown: HTML in it is text, links tell their address, images are named."""
    rendered: str = _renderer().render(clipped(source, MAX_CHARACTERS))
    return tag("div", sanitised(rendered, headings=True), class_="prose")


@cache
def _renderer() -> Any:
    from markdown_it import MarkdownIt  # takes a while: only notebooks with prose need it

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

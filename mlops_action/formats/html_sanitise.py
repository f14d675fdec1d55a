"""Foreign HTML reduced to tables and text: a few tags, no attributes but spans of cells."""

from __future__ import annotations

import re
from html import escape

from mlops_action.formats.html_builder import Markup
from mlops_action.formats.html_tokens import Token, tokens
from mlops_action.formats.story import clipped, lines_of

MAX_CHARACTERS = 200_000
MAX_DEPTH = 60
MAX_SPAN = 1000
_LISTS = {"ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "p"}
_WORDS = {"b", "strong", "i", "em", "u", "s", "sub", "sup", "code"}
_TABLES = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
_KEPT = {*_LISTS, *_WORDS, *_TABLES, "h2", "h3", "h4", "h5", "h6"}
_BREAKS = {"br", "hr"}
_BLOCKS = {"div", "section", "article", "header", "footer", "main", "aside", "form", "figure", "center", "summary"}
"""Boxes without a meaning. They are not kept: one closed in the wrong place would end a box of the page around it."""
_HEADINGS = {f"h{level}": f"h{min(6, level + 1)}" for level in range(1, 7)}
"""One level lower: the page has its own first heading."""
_ACTIVE = re.compile(r"<(?:script|iframe|svg|canvas|object|embed|video|audio|input|button|select)[\s/>]", re.IGNORECASE)


def is_active(source: str) -> bool:
    """Whether HTML is a little program or a drawing rather than text; its plain form tells more then."""
    return _ACTIVE.search(source) is not None


def sanitised(source: str, headings: bool = False) -> Markup:
    """What can be kept of foreign HTML; empty when there is no text in it.

    Args:
        source: the HTML, however broken.
        headings: keep headings as headings, for the prose of a notebook.
    """
    parser = _Sanitiser(headings)
    for token in tokens(clipped(source, MAX_CHARACTERS)):
        parser.take(token)
    parser.end_all(0)
    while parser.parts and (parser.parts[-1] == "<br>" or parser.parts[-1].isspace()):
        parser.parts.pop()
    return Markup("".join(parser.parts)) if parser.has_text else Markup("")


class _Sanitiser:
    """Writes allowed tags in balance, and text escaped."""

    def __init__(self, headings: bool) -> None:
        self.headings = headings
        self.parts: list[str] = []
        self.opened: list[str] = []
        self.has_text = False
        self.line_begun = False
        self.address = ""

    def take(self, token: Token) -> None:
        """Write what can be kept of the next token."""
        if token.kind == "text":
            self._text(token.content)
        elif token.kind == "start":
            self._start(self._renamed(token.content), token)
        else:
            self._end(self._renamed(token.content), token.content)

    def _renamed(self, name: str) -> str:
        if name in _HEADINGS:
            return _HEADINGS[name] if self.headings else "strong"
        return name

    def _start(self, name: str, token: Token) -> None:
        if name in _BREAKS:
            self.parts.append(f"<{name}>")
        elif name in _KEPT and len(self.opened) < MAX_DEPTH:
            self.opened.append(name)
            self.parts.append(f"<{name}{_spans(token) if name in {'td', 'th'} else ''}>")
        elif name == "a":
            self.address = token.attributes().get("href", "").strip()
        elif name == "img":
            alt = token.attributes().get("alt")
            self._text(f"[image: {alt}]" if alt else "[image]")

    def _end(self, name: str, written: str) -> None:
        if name == "a":
            told = self.parts[-1:] == [escape(self.address, quote=False)]
            shown = self.address.startswith(("http:", "https:", "mailto:")) and not told
            self._text(f" ({self.address})" if shown else "")
            self.address = ""
        if name in self.opened:
            self.end_all(len(self.opened) - 1 - self.opened[::-1].index(name))
        if name in _BLOCKS or (written in _HEADINGS and not self.headings):
            self._break()

    def _break(self) -> None:
        if self.line_begun:
            self.parts.append("<br>")
            self.line_begun = False

    def end_all(self, depth: int) -> None:
        """Close what is open, down to ``depth``."""
        while len(self.opened) > depth:
            self.parts.append(f"</{self.opened.pop()}>")

    def _text(self, text: str) -> None:
        if not text:
            return
        if not text.isspace():
            self.has_text = self.line_begun = True
        ended = "\n" if text[-1:] in "\r\n" else ""
        self.parts.append(escape("\n".join(lines_of(text)) + ended, quote=False))


def _spans(token: Token) -> str:
    found = token.attributes()
    numbers = {name: found[name] for name in ("colspan", "rowspan") if name in found}
    return "".join(
        f' {name}="{min(int(value), MAX_SPAN)}"'
        for name, value in numbers.items()
        if value.isascii() and value.isdecimal() and len(value) < 6
    )

"""HTML from small pieces: whatever is not ``Markup`` already is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from mlops_action.formats.story import lines_of
from mlops_action.sanitize import inline

SHORT = 22
"""Characters that a cell of a table keeps on one line."""
_TAG = re.compile(r"<[^>]*>")
_VOID = {"br", "hr", "img", "link", "meta"}


class Markup(str):
    """Text that is HTML; made by this module and the sanitiser alone."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | int | None) -> Markup:
    """An element; ``class_`` and ``data_label`` become ``class`` and ``data-label``, None is left out."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(inline(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{joined_markup(children)}</{name}>")


def joined_markup(children: Iterable[str]) -> Markup:
    """Children one after the other, foreign text escaped and without control characters."""
    return Markup("".join(child if isinstance(child, Markup) else _escaped(child) for child in children))


def _escaped(text: str) -> str:
    return escape("\n".join(lines_of(text)), quote=False)


def link(text: str, path: str, fragment: str = "") -> Markup:
    """A link to one of the report's own files or places."""
    return tag("a", text, href=_quoted(path) + (f"#{_quoted(fragment)}" if fragment else ""))


def badge(word: str) -> Markup:
    """A status with its colour: ``not-reached`` reads "not reached"."""
    return tag("span", word.replace("-", " "), class_=f"badge {word}")


def code_block(text: str, marked_line: int | None = None, kind: str = "source") -> Markup:
    """Foreign text as it is, one line of it marked."""
    lines = lines_of(text)
    place = (marked_line or 0) - 1
    if not 0 <= place < len(lines):
        return tag("pre", tag("code", "\n".join(lines)), class_=kind)
    before, after = "".join(f"{line}\n" for line in lines[:place]), "".join(f"\n{line}" for line in lines[place + 1 :])
    marked = joined_markup((Markup(escape(before)), tag("mark", lines[place] or " "), Markup(escape(after))))
    return tag("pre", tag("code", marked), class_=kind)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], limit: int = 500) -> Markup:
    """A table whose columns that no row fills are left out; on a phone each row becomes a card."""
    used = [i for i in range(len(head)) if any(row[i] for row in rows)]
    titles = [tag("th", head[i], scope="col") for i in used]
    body = [tag("tr", *(_cell(head[i], row[i]) for i in used)) for row in rows[:limit]]
    shown = tag("table", tag("thead", tag("tr", *titles)), tag("tbody", *body), class_="cards")
    if len(rows) <= limit:
        return shown
    return joined_markup((shown, tag("p", f"… and {len(rows) - limit} more rows", class_="note")))


def _cell(title: str, content: str) -> Markup:
    short = len(_TAG.sub("", content)) <= SHORT
    return tag("td", content, data_label=title, class_="short" if short else None)


def page(title: str, stylesheet: str, *body: str) -> bytes:
    """A whole document, UTF-8."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", inline(title)),
        tag("link", rel="stylesheet", href=stylesheet),
    )
    document = f"<!DOCTYPE html>\n{tag('html', head, tag('body', *body), lang='en')}\n"
    return document.encode("utf-8", errors="replace")


def _quoted(text: str) -> str:
    return quote(text, errors="replace")  # a name may hold bytes that are no text

"""What must hold for every HTML page that is written, found with the standard library's parser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

FORBIDDEN = {"script", "style", "iframe", "object", "embed", "base", "form", "svg"}
VOID = {"br", "hr", "img", "link", "meta"}


class Page(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.opened: list[str] = []
        self.unbalanced: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        self.unbalanced += self.opened

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.opened[-1:] == [tag]:
            self.opened.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def ids(self) -> set[str]:
        return {str(attributes["id"]) for _, attributes in self.tags if "id" in attributes}

    def addresses(self) -> Iterator[str]:
        for _, attributes in self.tags:
            for name in ("href", "src", "srcset", "action", "poster", "data"):
                if name in attributes:
                    yield str(attributes[name])


def broken_laws(files: Mapping[str, bytes]) -> list[str]:
    """Each broken law of each page, in words; empty when all is well."""
    pages = {name: Page(data.decode()) for name, data in files.items() if name.endswith(".html")}
    return [f"{name}: {said}" for name, page in pages.items() for said in _laws(name, page, pages, files)]


def _laws(name: str, page: Page, pages: Mapping[str, Page], files: Mapping[str, bytes]) -> Iterator[str]:
    yield from (f"tag {tag} is not balanced" for tag in page.unbalanced)
    for tag, attributes in page.tags:
        if tag in FORBIDDEN:
            yield f"has <{tag}>"
        for key in attributes:
            if key == "style" or key.startswith("on"):
                yield f"<{tag}> has {key}"
        if tag == "img" and not attributes.get("alt"):
            yield "an image without alternative text"
        if tag == "th" and not attributes.get("scope") and "class" in attributes:
            yield "a header cell without scope"
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    if len(ids) != len(set(ids)):
        yield "an id is there twice"
    if sum(tag == "h1" for tag, _ in page.tags) != 1:
        yield "not exactly one first heading"
    for address in page.addresses():
        yield from _address(name, address, pages, files)


def _address(name: str, address: str, pages: Mapping[str, Page], files: Mapping[str, bytes]) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or address.startswith("/"):
        yield f"leads elsewhere: {address}"
        return
    target = normpath(join(dirname(name), unquote(parts.path))) if parts.path else name
    if target not in files:
        yield f"leads to nothing: {address}"
    elif parts.fragment and unquote(parts.fragment) not in pages[target].ids():
        yield f"leads to no place: {address}"

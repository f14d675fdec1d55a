"""Foreign HTML as tags and text, in one pass over it.

The standard library's parser is not used here: on broken HTML it takes time that grows with
the square of the length, and raises. This one need not agree with browsers on every broken
page, for nothing that it reads is written as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from mlops_action.frozen import frozen

MAX_ATTRIBUTES = 20_000
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]{0,30})(?=[\s/>])")
_END = re.compile(r"""[^"'>]*+(?:"[^"]*+"[^"'>]*+|'[^']*+'[^"'>]*+)*+>""")
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]{1,32})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}")
DROPPED = frozenset(
    {"script", "style", "head", "title", "template", "noscript", "textarea", "select"}
    | {"iframe", "object", "svg", "math", "audio", "video", "canvas"}
)
"""Elements that are left out with everything in them."""


@frozen
class Token:
    """A piece of HTML: text, or the start or end of an element."""

    kind: str
    """``text``, ``start`` or ``end``."""
    content: str
    """The text, or the element's name in lower case."""
    written: str = ""
    """The attributes as they are written."""

    def attributes(self) -> dict[str, str]:
        """Attributes by their names in lower case, the first one of each."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.written[:MAX_ATTRIBUTES]):
            found.setdefault(match[1].lower(), _text(match[2] or match[3] or match[4] or ""))
        return found


def tokens(source: str) -> Iterator[Token]:
    """The tags and texts of a source, in order; comments and what is in ``DROPPED`` elements are left out."""
    place, quotes = 0, True
    while place < len(source):
        begin = source.find("<", place)
        if begin != place:
            end = len(source) if begin < 0 else begin
            yield Token("text", _text(source[place:end]))
            place = end
            continue
        name = _NAME.match(source, place)
        if name is None:
            token, place = _other(source, place)
            if token is not None:
                yield token
            continue
        whole = _END.match(source, name.end()) if quotes else None
        quotes = whole is not None
        end = whole.end() if whole is not None else source.find(">", name.end()) + 1
        if not end:
            return
        word, closing = name[1].lower(), source[place + 1] == "/"
        place = _after(source, word, end) if word in DROPPED and not closing else end
        if word not in DROPPED:
            yield Token("end" if closing else "start", word, source[name.end() : end - 1])


def _other(source: str, place: int) -> tuple[Token | None, int]:
    """What begins with ``<`` and is no tag: a comment, a declaration, or just that character."""
    if source.startswith("<!--", place):
        end = source.find("-->", place + 4)
        return None, end + 3 if end >= 0 else len(source)
    if source.startswith(("<!", "<?", "</"), place):
        end = source.find(">", place)
        return None, end + 1 if end >= 0 else len(source)
    return Token("text", "<"), place + 1


def _after(source: str, name: str, place: int) -> int:
    """Where an element that is left out ends."""
    found = re.compile(rf"</{name}[^>]*>?", re.IGNORECASE).search(source, place)
    return found.end() if found is not None else len(source)


def _text(written: str) -> str:
    return unescape(_LONG_NUMBER.sub("\ufffd", written))

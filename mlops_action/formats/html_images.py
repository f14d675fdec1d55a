"""Plots of notebooks as files of their own."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_action.formats.html_builder import Markup, tag
from mlops_action.formats.story import joined

MAX_FILES = 400
MAX_BYTES = 60_000_000
"""Of all plots of one notebook."""
_SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n", ".png"),
    "image/jpeg": (b"\xff\xd8\xff", ".jpg"),
    "image/gif": (b"GIF8", ".gif"),
}
_SVG = "image/svg+xml"
_UNSAFE_SVG = re.compile(
    r"<[\w:.-]*script|<[\w:.-]*foreignobject|\bon\w+\s*=|javascript:|<!entity|@import|attributename\s*=\s*.?[\w:]*href"
    r"|href\s*=\s*[\"']?(?!\s*[\"']?(?:#|data:image/(?:png|jpeg|gif);))"
    r"|url\(\s*[\"']?(?!\s*[\"']?(?:#|data:image/(?:png|jpeg|gif);))"
    r"|<\?xml-stylesheet",
    re.IGNORECASE,
)
"""What could run or load something when the file is opened by itself."""
_OTHER_ENCODING = re.compile(r"encoding\s*=\s*.(?!utf-8\b)", re.IGNORECASE)
"""In another encoding the same bytes could say something else."""


@dataclass
class Gallery:
    """The plots of one notebook, numbered in their order.

    Args:
        folder: name of the folder beside the page.
    """

    folder: str
    files: list[tuple[str, bytes]] = field(default_factory=list)
    shown: list[tuple[Markup, str]] = field(default_factory=list)
    size: int = 0
    refused: int = 0

    def add(self, output: Mapping[str, Any], place: str, title: str) -> Markup:
        """The image of an output, or empty when it has none that can be kept.

        Args:
            output: an output that shows data.
            place: the fragment of its cell.
            title: what the cell is called, for those who do not see the plot.
        """
        data = output["data"]
        for mime in (*_SIGNATURES, _SVG):
            content, suffix = _image(mime, data.get(mime))
            if not content:
                continue
            if len(self.files) >= MAX_FILES or self.size + len(content) > MAX_BYTES:
                self.refused += 1
                return Markup("")
            name = f"{len(self.files) + 1}{suffix}"
            self.files.append((name, content))
            self.size += len(content)
            attributes: dict[str, str | int] = {"alt": _alt(output, mime) or f"Plot of cell {title}"}
            attributes.update(_measures(output, mime))
            self.shown.append((tag("img", src=f"html/{self.folder}/{name}", **attributes), place))
            return tag("img", src=f"{self.folder}/{name}", **attributes)
        return Markup("")


def _image(mime: str, value: Any) -> tuple[bytes, str]:
    text = joined(value)
    if mime == _SVG:
        told = text.partition("?>")[0][:1000]
        safe = "<svg" in text and not _OTHER_ENCODING.search(told) and not _UNSAFE_SVG.search(text)
        return (text.strip().encode("utf-8", errors="replace"), ".svg") if safe else (b"", "")
    signature, suffix = _SIGNATURES[mime]
    try:
        content = binascii.a2b_base64(text)
    except ValueError:
        return b"", ""
    return (content, suffix) if content.startswith(signature) else (b"", "")


def _about(output: Mapping[str, Any], mime: str) -> dict[str, Any]:
    """What the notebook says about an image: of its kind, or of the whole output."""
    metadata = output.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    own = known.get(mime)
    return {**known, **own} if isinstance(own, dict) else known


def _measures(output: Mapping[str, Any], mime: str) -> dict[str, int]:
    about = _about(output, mime)
    return {
        name: value
        for name in ("width", "height")
        if isinstance(value := about.get(name), int) and not isinstance(value, bool) and 0 < value < 10_000
    }


def _alt(output: Mapping[str, Any], mime: str) -> str:
    alt = _about(output, mime).get("alt")
    return alt if isinstance(alt, str) else ""

"""What Zeppelin keeps of a paragraph's results, as Jupyter's outputs."""

from __future__ import annotations

import html
from typing import Any

Output = dict[str, Any]


def outputs_of(paragraph: dict[str, Any]) -> list[Output]:
    """Outputs of a paragraph: text, HTML, tables and images; newer notes have several, older ones one.

    What has another form counts as none: results never keep a note from being read.
    """
    kept = paragraph.get("results") or paragraph.get("result")
    if not isinstance(kept, dict):
        return []
    said = kept.get("msg")
    messages = said if isinstance(said, list) else [{"type": kept.get("type"), "data": said}]
    failed = kept.get("code") == "ERROR"
    found = [_output(each.get("type"), each.get("data"), failed=failed) for each in messages if isinstance(each, dict)]
    return [output for output in found if output is not None]


def _output(kind: Any, data: Any, *, failed: bool) -> Output | None:
    if not isinstance(kind, str) or not isinstance(data, str):
        return None
    if kind == "TEXT":
        return {"output_type": "stream", "name": "stderr" if failed else "stdout", "text": data} if data else None
    bundle = {
        "HTML": lambda: {"text/html": data},
        "ANGULAR": lambda: {"text/html": data},
        "TABLE": lambda: {"text/html": table_html(data), "text/plain": data},
        "IMG": lambda: {"image/png": data.strip().removeprefix("data:image/png;base64,")},
        "SVG": lambda: {"image/svg+xml": data},
    }.get(kind, lambda: {"text/plain": data})()
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


def table_html(data: str) -> str:
    """A table of tab-separated lines, the first one its head; ``%html`` cells are HTML already."""
    head, *rows = [line.split("\t") for line in data.rstrip("\n").split("\n")]
    lines = [_row(head, "th"), *(_row(row, "td") for row in rows)]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _row(cells: list[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{_cell(cell)}</{tag}>" for cell in cells) + "</tr>"


def _cell(text: str) -> str:
    return text.removeprefix("%html").strip() if text.startswith("%html") else html.escape(text)

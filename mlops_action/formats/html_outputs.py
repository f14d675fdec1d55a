"""What a cell printed and showed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_action.formats.html_builder import Markup, code_block, joined_markup, tag
from mlops_action.formats.html_images import Gallery
from mlops_action.formats.html_prose import prose
from mlops_action.formats.html_sanitise import is_active, sanitised
from mlops_action.formats.story import joined

MAX_OUTPUTS = 60
MAX_HEAD, MAX_TAIL = 14_000, 6_000
MAX_PAGE = 4_000_000
"""Characters of all outputs of a page; what comes later is counted."""
_ELSEWHERE = "not shown here; it is in the executed notebook"


class Outputs:
    """Renders outputs of one notebook, within the page's limit."""

    def __init__(self, gallery: Gallery) -> None:
        """Put plots into ``gallery``."""
        self.gallery = gallery
        self.room = MAX_PAGE

    def render(self, outputs: Any, place: str, title: str) -> Markup:
        """All outputs of a cell; ``place`` is its fragment and ``title`` its name for plots."""
        whole = [each for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []
        shown = [self._bounded(each, place, title) for each in whole[:MAX_OUTPUTS]]
        if len(whole) > MAX_OUTPUTS:
            shown.append(_note(f"… and {len(whole) - MAX_OUTPUTS} more outputs, {_ELSEWHERE}"))
        return joined_markup(shown)

    def _bounded(self, output: Mapping[str, Any], place: str, title: str) -> Markup:
        if self.room <= 0:
            return _note(f"An output is {_ELSEWHERE}: the page is long enough")
        shown = joined_markup(self._output(output, place, title))
        self.room -= len(shown)
        return shown

    def _output(self, output: Mapping[str, Any], place: str, title: str) -> Iterator[Markup]:
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            yield code_block(_shortened(joined(output.get("text"))), kind=f"output {name}")
        elif kind == "error":
            trace = "\n".join(map(joined, output.get("traceback") or ()))
            told = trace or f"{joined(output.get('ename'))}: {joined(output.get('evalue'))}"
            yield code_block(_shortened(told), kind="output error")
        elif isinstance(output.get("data"), dict):
            yield self.gallery.add(output, place, title) or self._text(output["data"])

    def _text(self, data: Mapping[str, Any]) -> Markup:
        """The richest form that can be shown without running anything."""
        source, text = joined(data.get("text/html")), joined(data.get("text/plain"))
        active = is_active(source)
        kept = sanitised(source) if source and not active else Markup("")
        if kept:
            return tag("div", kept, class_="output rich")
        if markdown := joined(data.get("text/markdown")):
            return tag("div", prose(markdown), class_="output rich")
        if text:
            return code_block(_shortened(text), kind="output")
        if "application/json" in data:
            return code_block(_shortened(_json(data["application/json"])), kind="output")
        kinds = ", ".join(sorted(map(str, data))[:5])
        return _note(f"An output of kind {kinds} is {_ELSEWHERE}") if kinds else Markup("")


def _json(value: Any) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown)"


def _note(text: str) -> Markup:
    return tag("p", text, class_="note")


def _shortened(text: str) -> str:
    """The beginning and, since errors come last, the end."""
    dropped = len(text) - MAX_HEAD - MAX_TAIL
    if dropped <= 0:
        return text
    return f"{text[:MAX_HEAD]}\n… {dropped} characters {_ELSEWHERE} …\n{text[-MAX_TAIL:]}"

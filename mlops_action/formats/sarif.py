"""``report.sarif``: what is wrong, for code-scanning pages (SARIF 2.1.0)."""

from __future__ import annotations

import json
from typing import Any

from mlops_action import __version__
from mlops_action.formats.interface import Files, Told
from mlops_action.records import Annotation

SARIF_FILE = "report.sarif"
_LEVELS = {"error": "error", "warning": "warning", "notice": "note"}


class Sarif:
    """A rule for each gate and step that had something to say, and a result for each finding."""

    def render(self, told: Told) -> Files:
        """``report.sarif``, UTF-8."""
        titles = sorted({each.title for each in told.annotations})
        rules = [{"id": title, "shortDescription": {"text": title}} for title in titles]
        driver = {"name": "mlops-action", "version": __version__, "rules": rules}
        results = [_result(each, titles.index(each.title)) for each in told.annotations]
        run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        document = {"version": "2.1.0", "runs": [run]}
        return ((SARIF_FILE, (json.dumps(document, indent=1) + "\n").encode()),)


def _result(annotation: Annotation, rule: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": annotation.title,
        "ruleIndex": rule,
        "level": _LEVELS[annotation.level],
        "message": {"text": annotation.message or annotation.title},
    }
    if annotation.path:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(annotation.path)}}
        if annotation.line:
            place["region"] = {"startLine": annotation.line}
        found["locations"] = [{"physicalLocation": place}]
    if annotation.accepted:
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": annotation.accepted}]
    return found


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path, errors="replace")  # a name may hold bytes that are no text

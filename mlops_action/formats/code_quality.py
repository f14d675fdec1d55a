"""``codequality.json``: what is wrong, for GitLab's merge requests (the Code Climate format)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from mlops_action.formats.interface import Files, Told
from mlops_action.records import Annotation

CODE_QUALITY_FILE = "codequality.json"
_SEVERITIES = {"error": "blocker", "warning": "minor", "notice": "info"}


class CodeQuality:
    """One issue for each finding that has a file: GitLab shows no other."""

    def render(self, told: Told) -> Files:
        """``codequality.json``, UTF-8."""
        issues = [_issue(each) for each in told.annotations if each.path]
        return ((CODE_QUALITY_FILE, (json.dumps(issues, indent=1) + "\n").encode()),)


def _issue(annotation: Annotation) -> dict[str, Any]:
    known = "\0".join((annotation.title, annotation.path, annotation.message))
    return {
        "description": f"{annotation.title}: {annotation.message}",
        "check_name": annotation.title,
        "fingerprint": hashlib.sha256(known.encode(errors="replace")).hexdigest(),
        "severity": _SEVERITIES[annotation.level],
        "location": {"path": annotation.path, "lines": {"begin": annotation.line or 1}},
    }

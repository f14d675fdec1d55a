"""A check run on a commit of GitHub: the verdict as its conclusion, and all findings, not ten, at their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_action.ci.comment import shown
from mlops_action.ci.rest import GitHubRepository, event_of, needed
from mlops_action.records import Annotation
from mlops_action.sanitize import harmless, inline

AT_ONCE = 50
"""GitHub takes so many annotations in one call, and adds those of further calls."""
CONCLUSIONS = {"pass": "success", "warn": "neutral", "not-judged": "neutral"}
"""Any other verdict blocks."""
_LEVELS = {"error": "failure", "warning": "warning", "notice": "notice"}
_TITLE, _MESSAGE = 255, 60_000


def write_check(
    repository: GitHubRepository, commit: str, name: str, verdict: str, told: tuple[str, Sequence[Annotation]]
) -> None:
    """Write a finished check run.

    Args:
        repository: where.
        commit: the commit that was judged.
        name: of the check.
        verdict: ``pass``, ``fail``, ...
        told: the report, Markdown, and the findings.

    Raises:
        CommentRefused: the token may not, or GitHub cannot be reached.
    """
    report, annotations = told
    placed = [_finding(each) for each in annotations if each.path]
    groups = [placed[i : i + AT_ONCE] for i in range(0, len(placed), AT_ONCE)] or [[]]
    output = {"title": f"Verdict: {verdict}", "summary": shown(report, trusted=True)}
    conclusion = CONCLUSIONS.get(verdict, "failure")
    made = repository.ask(
        "POST",
        "check-runs",
        {
            "name": name,
            "head_sha": commit,
            "status": "completed",
            "conclusion": conclusion,
            "output": {**output, "annotations": groups[0]},
        },
    )
    for group in groups[1:]:
        repository.ask("PATCH", f"check-runs/{made['id']}", {"output": {**output, "annotations": group}})


def judged_commit(env: Mapping[str, str]) -> str:
    """The commit that people see: a pull request's head, not the merge that the job runs on.

    Raises:
        UsageError: the job does not say.
    """
    try:
        return str(event_of(env)["pull_request"]["head"]["sha"])
    except (KeyError, TypeError):
        return needed(env, "GITHUB_SHA")


def _finding(annotation: Annotation) -> dict[str, Any]:
    line = annotation.line or 1
    return {
        "path": annotation.path,
        "start_line": line,
        "end_line": line,
        "annotation_level": _LEVELS[annotation.level],
        "title": inline(annotation.title)[:_TITLE],
        "message": "\n".join(harmless(part) for part in annotation.message.splitlines())[:_MESSAGE] or "-",
    }

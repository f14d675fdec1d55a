"""One comment on a pull or merge request, written once and kept up to date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from mlops_action.ci.rest import GitHubRepository, asked, event_of, needed
from mlops_action.errors import UsageError
from mlops_action.frozen import frozen

BODY_CHARACTERS = 60_000
"""GitHub takes 65,536."""
PAGES = 20
_PULL = re.compile(r"refs/pull/(\d+)/|refs/heads/gh-readonly-queue/.+/pr-(\d+)-[0-9a-f]+$")
"""The ref of a pull request's job, or of a merge queue's."""


class Forge(Protocol):
    """Where merge requests have comments."""

    def comments(self) -> Iterator[tuple[str, str]]:
        """Identifier and text of our own comments: anybody may write one that begins like ours."""

    def create(self, body: str) -> None:
        """Write a new comment."""

    def update(self, identifier: str, body: str) -> None:
        """Write a comment anew."""


def keep_comment(forge: Forge, name: str, report: str, *, trusted: bool) -> str:
    """Write the report into the one comment of that name; what was done, in a word.

    Args:
        forge: where.
        name: tells this comment from those of other jobs.
        report: Markdown.
        trusted: whether the report was made by code that may speak for the project; else it is
            shown as text, so that it can neither mention people nor show pictures.

    Raises:
        CommentRefused: the token may not, or the forge cannot be reached.
    """
    marker = f"<!-- mlops-action: {re.sub(r'[^A-Za-z0-9_.-]', '-', name)} -->"
    body = f"{marker}\n{shown(report, trusted=trusted)}"
    for identifier, text in forge.comments():
        if text.startswith(marker):
            if text.rstrip() == body.rstrip():
                return "unchanged"
            forge.update(identifier, body)
            return "updated"
    forge.create(body)
    return "written"


def shown(report: str, *, trusted: bool) -> str:
    """The report within what a forge takes; as text when it may not speak for the project."""
    return _cut(report) if trusted else _as_text(_cut(report))


def _cut(report: str) -> str:
    if len(report) <= BODY_CHARACTERS:
        return report
    lines = report[:BODY_CHARACTERS].splitlines()[:-1]
    return "\n".join(lines) + f"\n\n… {len(report.splitlines()) - len(lines)} more lines are in the report.\n"


def _as_text(report: str) -> str:
    longest = max((len(run) for run in re.findall(r"~+", report)), default=0)
    fence = "~" * max(3, longest + 1)
    return f"{fence}text\n{report}\n{fence}\n"


@frozen
class GitHubPulls:
    """Comments of a pull request, by GitHub's REST interface."""

    repository: GitHubRepository
    number: int

    def comments(self) -> Iterator[tuple[str, str]]:
        """See ``Forge``."""
        login = self.repository.login()
        for page in range(1, PAGES + 1):
            found = self.repository.ask("GET", f"issues/{self.number}/comments?per_page=100&page={page}")
            yield from ((str(each["id"]), str(each.get("body") or "")) for each in found if _is_ours(each, login))
            if len(found) < 100:
                return

    def create(self, body: str) -> None:
        """See ``Forge``."""
        self.repository.ask("POST", f"issues/{self.number}/comments", {"body": body})

    def update(self, identifier: str, body: str) -> None:
        """See ``Forge``."""
        self.repository.ask("PATCH", f"issues/comments/{identifier}", {"body": body})


def _is_ours(comment: Any, login: str) -> bool:
    """Whether we wrote it; the job's own token does not know its name, but that it is no person's."""
    user = comment.get("user") or {}
    return user.get("login") == login if login else user.get("type") == "Bot"


@frozen
class GitLabMergeRequests:
    """Notes of a merge request, by GitLab's REST interface."""

    api: str
    project: str
    number: int
    token: str

    def comments(self) -> Iterator[tuple[str, str]]:
        """See ``Forge``."""
        own = asked("GET", f"{self.api}/user", {"PRIVATE-TOKEN": self.token})["username"]
        for page in range(1, PAGES + 1):
            found = self._ask("GET", f"notes?per_page=100&page={page}")
            ours = (each for each in found if (each.get("author") or {}).get("username") == own)
            yield from ((str(each["id"]), str(each.get("body") or "")) for each in ours)
            if len(found) < 100:
                return

    def create(self, body: str) -> None:
        """See ``Forge``."""
        self._ask("POST", "notes", {"body": body})

    def update(self, identifier: str, body: str) -> None:
        """See ``Forge``."""
        self._ask("PUT", f"notes/{identifier}", {"body": body})

    def _ask(self, method: str, path: str, data: Any = None) -> Any:
        url = f"{self.api}/projects/{quote(self.project, safe='')}/merge_requests/{self.number}/{path}"
        return asked(method, url, {"PRIVATE-TOKEN": self.token}, data)


def forge_of(env: Mapping[str, str], number: int, token: str = "") -> Forge:
    """The merge request that the CI system's variables tell of.

    Args:
        env: variables of the job.
        number: of the request; 0 to take the job's own.
        token: for GitHub; empty to take that of the environment.

    Raises:
        UsageError: something is missing, and what.
    """
    if env.get("GITLAB_CI") == "true":
        own = number or int(env.get("CI_MERGE_REQUEST_IID") or 0)
        hint = "an access token with the scope `api`; the job's own may not write notes"
        secret = needed(env, "GITLAB_TOKEN", hint)
        _refuse_no_number(own)
        # A request from a fork is a job of the fork, but its notes are where it goes to.
        project = env.get("CI_MERGE_REQUEST_PROJECT_ID") or needed(env, "CI_PROJECT_ID")
        return GitLabMergeRequests(needed(env, "CI_API_V4_URL"), project, own, secret)
    repository = GitHubRepository.of(env, token)
    own = number or _number_of_event(env) or _number_of_head(repository, _head_of_event(env))
    _refuse_no_number(own)
    return GitHubPulls(repository, own)


def _refuse_no_number(number: int) -> None:
    if not number:
        raise UsageError("this job is not of a pull or merge request", hint="name it with `--request NUMBER`")


def _number_of_event(env: Mapping[str, str]) -> int:
    found = _PULL.match(env.get("GITHUB_REF", ""))
    if found:
        return int(found[1] or found[2])
    try:
        return int(event_of(env)["pull_request"]["number"])
    except (ValueError, KeyError, TypeError):
        return 0


def _head_of_event(env: Mapping[str, str]) -> str:
    """``owner:branch`` that a workflow ran for which this one follows; the event of a fork's has no number."""
    try:
        run = event_of(env)["workflow_run"]
        return f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    except (KeyError, TypeError):
        return ""


def _number_of_head(repository: GitHubRepository, head: str) -> int:
    """The open pull request from a branch ``owner:name``; 0 when there is none, or not just one."""
    found = repository.ask("GET", f"pulls?state=open&head={quote(head, safe='')}") if head else []
    return int(found[0]["number"]) if len(found) == 1 else 0

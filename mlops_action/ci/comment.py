"""One comment on a pull or merge request, written once and kept up to date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from mlops_action.errors import CommentRefused, UsageError

BODY_CHARACTERS = 60_000
"""GitHub takes 65,536."""
PAGES = 20
SECONDS = 30
_PULL = re.compile(r"refs/pull/(\d+)/")


class Forge(Protocol):
    """Where merge requests have comments."""

    def comments(self) -> Iterator[tuple[str, str]]:
        """Identifier and text of the comments that there are."""

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
    body = f"{marker}\n{_cut(report) if trusted else _as_text(_cut(report))}"
    for identifier, text in forge.comments():
        if text.startswith(marker):
            if text.rstrip() == body.rstrip():
                return "unchanged"
            forge.update(identifier, body)
            return "updated"
    forge.create(body)
    return "written"


def _cut(report: str) -> str:
    if len(report) <= BODY_CHARACTERS:
        return report
    lines = report[:BODY_CHARACTERS].splitlines()[:-1]
    return "\n".join(lines) + f"\n\n… {len(report.splitlines()) - len(lines)} more lines are in the report.\n"


def _as_text(report: str) -> str:
    longest = max((len(run) for run in re.findall(r"~+", report)), default=0)
    fence = "~" * max(3, longest + 1)
    return f"{fence}text\n{report}\n{fence}\n"


@dataclass(frozen=True)
class GitHubPulls:
    """Comments of a pull request, by GitHub's REST interface."""

    api: str
    repository: str
    number: int
    token: str

    def comments(self) -> Iterator[tuple[str, str]]:
        """See ``Forge``."""
        for page in range(1, PAGES + 1):
            found = self._ask("GET", f"issues/{self.number}/comments?per_page=100&page={page}")
            yield from ((str(each["id"]), str(each.get("body") or "")) for each in found)
            if len(found) < 100:
                return

    def create(self, body: str) -> None:
        """See ``Forge``."""
        self._ask("POST", f"issues/{self.number}/comments", {"body": body})

    def update(self, identifier: str, body: str) -> None:
        """See ``Forge``."""
        self._ask("PATCH", f"issues/comments/{identifier}", {"body": body})

    def number_of_head(self, head: str) -> int:
        """The open pull request from a branch ``owner:name``; 0 when there is none, or not just one."""
        found = self._ask("GET", f"pulls?state=open&head={quote(head, safe='')}") if head else []
        return int(found[0]["number"]) if len(found) == 1 else 0

    def _ask(self, method: str, path: str, data: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        return asked(method, f"{self.api}/repos/{self.repository}/{path}", headers, data)


@dataclass(frozen=True)
class GitLabMergeRequests:
    """Notes of a merge request, by GitLab's REST interface."""

    api: str
    project: str
    number: int
    token: str

    def comments(self) -> Iterator[tuple[str, str]]:
        """See ``Forge``."""
        for page in range(1, PAGES + 1):
            found = self._ask("GET", f"notes?per_page=100&page={page}")
            yield from ((str(each["id"]), str(each.get("body") or "")) for each in found)
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


def forge_of(env: Mapping[str, str], number: int) -> Forge:
    """The merge request that the CI system's variables tell of.

    Args:
        env: variables of the job.
        number: of the request; 0 to take the job's own.

    Raises:
        UsageError: something is missing, and what.
    """
    if env.get("GITLAB_CI") == "true":
        own = number or int(env.get("CI_MERGE_REQUEST_IID") or 0)
        token = _needed(env, "GITLAB_TOKEN", "an access token with the scope `api`; the job's own may not write notes")
        _refuse_no_number(own)
        return GitLabMergeRequests(_needed(env, "CI_API_V4_URL"), _needed(env, "CI_PROJECT_ID"), own, token)
    token = _needed(
        env, "GITHUB_TOKEN", "`env: {GITHUB_TOKEN: ${{ github.token }}}`, `permissions: {pull-requests: write}`"
    )
    api, repository = env.get("GITHUB_API_URL", "https://api.github.com"), _needed(env, "GITHUB_REPOSITORY")
    pulls = GitHubPulls(api, repository, number or _number_of_event(env), token)
    if not pulls.number:
        pulls = replace(pulls, number=pulls.number_of_head(_head_of_event(env)))
    _refuse_no_number(pulls.number)
    return pulls


def _needed(env: Mapping[str, str], name: str, hint: str = "run it in a job of GitHub or GitLab") -> str:
    if not env.get(name):
        raise UsageError(f"the variable `{name}` is not set", hint=hint)
    return env[name]


def _refuse_no_number(number: int) -> None:
    if not number:
        raise UsageError("this job is not of a pull or merge request", hint="name it with `--request NUMBER`")


def _number_of_event(env: Mapping[str, str]) -> int:
    found = _PULL.match(env.get("GITHUB_REF", ""))
    if found:
        return int(found[1])
    try:
        return int(_event(env)["pull_request"]["number"])
    except (ValueError, KeyError, TypeError):
        return 0


def _head_of_event(env: Mapping[str, str]) -> str:
    """``owner:branch`` that a workflow ran for which this one follows; the event of a fork's has no number."""
    try:
        run = _event(env)["workflow_run"]
        return f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    except (KeyError, TypeError):
        return ""


def _event(env: Mapping[str, str]) -> Any:
    try:
        return json.loads(Path(env.get("GITHUB_EVENT_PATH", "")).read_bytes())
    except (OSError, ValueError):
        return {}


def asked(method: str, url: str, headers: Mapping[str, str], data: Any = None) -> Any:
    """The answer of a REST interface, as JSON.

    Raises:
        CommentRefused: it said no, or nothing.
    """
    body = None if data is None else json.dumps(data).encode()
    request = Request(url, body, {**headers, "Content-Type": "application/json"}, method=method)  # noqa: S310  # the job's own API
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  # as above
            return json.loads(answer.read() or b"null")
    except HTTPError as error:
        why = "the token may not" if error.code in {401, 403, 404} else error.reason
        raise CommentRefused(f"the comment was refused ({error.code}: {why})") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise CommentRefused(f"the comment could not be written: {error}") from None

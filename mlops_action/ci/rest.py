"""REST interfaces of the places where merge requests are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from mlops_action.errors import CommentRefused, UsageError
from mlops_action.frozen import frozen

SECONDS = 30
_MAY_NOT = {401, 403, 404}


@frozen
class GitHubRepository:
    """A repository of GitHub or of a GitHub Enterprise server, by its REST interface."""

    api: str
    repository: str
    token: str

    @classmethod
    def of(cls, env: Mapping[str, str], token: str = "") -> GitHubRepository:
        """The job's repository; ``token`` or the variable ``GITHUB_TOKEN`` is used.

        Raises:
            UsageError: something is missing, and what.
        """
        hint = "`env: {GITHUB_TOKEN: ${{ github.token }}}`, and the permission that the job needs"
        token = token or needed(env, "GITHUB_TOKEN", hint)
        return cls(env.get("GITHUB_API_URL") or "https://api.github.com", needed(env, "GITHUB_REPOSITORY"), token)

    def ask(self, method: str, path: str, data: Any = None) -> Any:
        """The answer to a question about the repository.

        Raises:
            CommentRefused: the token may not, or nobody answers.
        """
        return self._ask(method, f"repos/{self.repository}/{path}", data)

    def login(self) -> str:
        """Whose token it is; empty for the job's own, which may not ask that."""
        try:
            return str(self._ask("GET", "user")["login"])
        except CommentRefused:
            return ""

    def _ask(self, method: str, path: str, data: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        return asked(method, f"{self.api}/{path}", headers, data)


def needed(env: Mapping[str, str], name: str, hint: str = "run it in a job of GitHub or GitLab") -> str:
    """A variable of the job.

    Raises:
        UsageError: it is not set.
    """
    if not env.get(name):
        raise UsageError(f"the variable `{name}` is not set", hint=hint)
    return env[name]


def event_of(env: Mapping[str, str]) -> Any:
    """What GitHub says of the event that the workflow runs for; empty when it says nothing."""
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
        why = "the token may not" if error.code in _MAY_NOT else error.reason
        raise CommentRefused(f"it was refused ({error.code}: {why})") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise CommentRefused(f"it could not be written: {error}") from None

"""The comment on a merge request, against a forge of our own that answers as the real ones do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlops_action.ci.comment import BODY_CHARACTERS

pytestmark = pytest.mark.slow


class Forge:
    """Comments by number, kept as GitHub's and GitLab's interfaces show them."""

    def __init__(self) -> None:
        self.comments: dict[int, str] = {number: f"somebody's words {number}" for number in range(1, 131)}
        self.asked: list[str] = []
        self.refuse = 0
        self.token = ""
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                data = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
                forge.asked.append(f"{self.command} {self.path}")
                forge.token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
                code, answer = (
                    (forge.refuse, {}) if forge.refuse else (200, forge.answer(self.command, self.path, data))
                )
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST = do_PATCH = do_PUT = do  # noqa: N815  # names of the base class

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, method: str, path: str, data: Any) -> Any:
        if "/pulls?" in path:
            return [{"number": 23}] if path.endswith("head=stranger%3Atopic") else []
        if method == "GET":
            page = int(re.findall(r"[?&]page=(\d+)", path)[0])
            rows = [{"id": number, "body": body} for number, body in sorted(self.comments.items())]
            return rows[(page - 1) * 100 : page * 100]
        number = len(self.comments) + 1 if method == "POST" else int(path.rpartition("/")[2])
        self.comments[number] = data["body"]
        return {"id": number}

    def ours(self) -> list[str]:
        return [body for body in self.comments.values() if body.startswith("<!-- mlops-action")]


@pytest.fixture
def forge() -> Iterator[Forge]:
    made = Forge()
    yield made
    made.server.shutdown()


def comment(
    folder: Path, forge: Forge, *options: str, report: str = "# Verdict: pass\n", **env: str
) -> tuple[int, str]:
    (folder / "mlops-out").mkdir(exist_ok=True)
    (folder / "mlops-out" / "report.md").write_text(report)
    base = {"PATH": os.environ["PATH"], "HOME": str(folder), "GITHUB_API_URL": forge.url, "GITHUB_ACTIONS": "true"}
    base |= {"GITHUB_REPOSITORY": "octo/model", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_TOKEN": "secret-token"}
    done = subprocess.run(
        [sys.executable, "-m", "mlops_action", "comment", *options],
        cwd=folder,
        env={**base, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_comment_is_written_once_and_then_kept_up_to_date(tmp_path: Path, forge: Forge) -> None:
    assert comment(tmp_path, forge) == (0, "The comment was written\n")
    assert comment(tmp_path, forge) == (0, "The comment is as it was\n")
    assert comment(tmp_path, forge, report="# Verdict: fail\n") == (0, "The comment was updated\n")
    assert forge.ours() == ["<!-- mlops-action: model -->\n# Verdict: fail\n"]
    assert forge.token == "Bearer secret-token"


def test_jobs_with_other_names_have_comments_of_their_own(tmp_path: Path, forge: Forge) -> None:
    comment(tmp_path, forge, "--name", "churn")
    comment(tmp_path, forge, "--name", "fraud")
    assert len(forge.ours()) == 2


@pytest.mark.parametrize("code", [401, 403, 404, 500])
def test_without_the_permission_the_log_says_so_and_nothing_fails(tmp_path: Path, forge: Forge, code: int) -> None:
    forge.refuse = code
    ended, said = comment(tmp_path, forge)
    assert ended == 0
    assert said.startswith(f"::notice title=mlops-action::the comment was refused ({code}")
    assert "secret-token" not in said


def test_a_report_of_a_fork_is_shown_as_text_and_cannot_leave_it(tmp_path: Path, forge: Forge) -> None:
    hostile = "~~~~\n@everyone ![](https://example.org/x.png)\n<!-- mlops-action: model -->\n"
    comment(tmp_path, forge, "--untrusted", "--request", "9", report=hostile)
    [body] = forge.ours()
    fence = body.splitlines()[1].removesuffix("text")
    assert fence == "~~~~~"
    assert body.rstrip().endswith(fence)
    assert "/issues/9/comments" in forge.asked[-1]


def test_a_report_that_is_too_long_is_cut_with_a_count(tmp_path: Path, forge: Forge) -> None:
    comment(tmp_path, forge, report="a line of the report\n" * 9000)
    [body] = forge.ours()
    assert len(body) < BODY_CHARACTERS + 200
    assert re.search(r"… \d+ more lines are in the report\.", body)


def test_gitlab_s_notes_are_kept_in_the_same_way(tmp_path: Path, forge: Forge) -> None:
    env = {"GITLAB_CI": "true", "CI_API_V4_URL": f"{forge.url}/api/v4", "CI_PROJECT_ID": "31"}
    env |= {"CI_MERGE_REQUEST_IID": "4", "GITLAB_TOKEN": "gl", "GITHUB_ACTIONS": ""}
    assert comment(tmp_path, forge, **env) == (0, "The comment was written\n")
    assert comment(tmp_path, forge, report="# other\n", **env) == (0, "The comment was updated\n")
    assert forge.asked[-1].startswith("PUT /api/v4/projects/31/merge_requests/4/notes/")
    assert forge.token == "gl"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"GITHUB_TOKEN": ""}, "the variable `GITHUB_TOKEN` is not set"),
        ({"GITHUB_REF": "refs/heads/main"}, "this job is not of a pull or merge request"),
    ],
)
def test_what_is_missing_is_told_with_the_remedy(tmp_path: Path, forge: Forge, env: dict[str, str], said: str) -> None:
    code, text = comment(tmp_path, forge, **env)
    assert code == 2
    assert said in text
    assert "hint: " in text


def test_a_report_that_is_not_there_is_told_with_the_command_that_makes_it(tmp_path: Path, forge: Forge) -> None:
    code, text = comment(tmp_path, forge, "--report", "other.md")
    assert code == 2
    assert "there is no report other.md" in text


def test_the_request_of_a_fork_is_found_by_the_branch_that_the_event_names(tmp_path: Path, forge: Forge) -> None:
    head = {"head_branch": "topic", "head_repository": {"owner": {"login": "stranger"}}}
    (tmp_path / "event.json").write_text(json.dumps({"workflow_run": head}))
    env = {"GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert comment(tmp_path, forge, "--untrusted", **env) == (0, "The comment was written\n")
    assert "/issues/23/comments" in forge.asked[-1]

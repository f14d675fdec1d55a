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
from acceptance.github_runner import outputs

from mlops_action.ci.comment import BODY_CHARACTERS

pytestmark = pytest.mark.slow


class Forge:
    """Comments by number and check runs, kept as GitHub's and GitLab's interfaces show them."""

    def __init__(self) -> None:
        self.comments: dict[int, str] = {number: f"somebody's words {number}" for number in range(1, 131)}
        self.strangers: set[int] = set(self.comments)
        self.checks: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.refuse = 0
        self.person = ""
        self.token = ""
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                data = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
                forge.asked.append(f"{self.command} {self.path}")
                forge.token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
                refused = forge.refuse or (403 if self.path == "/user" and not forge.person else 0)
                code, answer = (refused, {}) if refused else (200, forge.answer(self.command, self.path, data))
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
        if path.endswith("/user"):
            return {"login": forge_name(self.person), "username": forge_name(self.person)}
        if "/check-runs" in path:
            return self.check(method, data)
        if "/pulls?" in path:
            return [{"number": 23}] if path.endswith("head=stranger%3Atopic") else []
        if method == "GET":
            page = int(re.findall(r"[?&]page=(\d+)", path)[0])
            rows = [self.shown(number) for number in sorted(self.comments)]
            return rows[(page - 1) * 100 : page * 100]
        number = len(self.comments) + 1 if method == "POST" else int(path.rpartition("/")[2])
        self.comments[number] = data["body"]
        return {"id": number}

    def shown(self, number: int) -> dict[str, Any]:
        name = "stranger" if number in self.strangers else forge_name(self.person)
        kind = "Bot" if name.endswith("[bot]") else "User"
        author = {"login": name, "username": name, "type": kind}
        return {"id": number, "body": self.comments[number], "user": author, "author": author}

    def check(self, method: str, data: Any) -> Any:
        if method == "POST":
            self.checks.append(data)
        else:
            self.checks[-1]["output"]["annotations"] += data["output"]["annotations"]
        assert len(data["output"]["annotations"]) <= 50
        return {"id": len(self.checks)}

    def ours(self) -> list[str]:
        return [body for body in self.comments.values() if body.startswith("<!-- mlops-action")]


def forge_name(person: str) -> str:
    """The name of who holds the token: a person, or a job."""
    return person or "github-actions[bot]"


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
    summary = tmp_path / "summary"
    ended, said = comment(tmp_path, forge, report="# Verdict: fail\n", GITHUB_STEP_SUMMARY=str(summary))
    assert ended == 0
    assert summary.read_text() == "# Verdict: fail\n"
    assert said.startswith(f"::notice title=mlops-action::no comment: it was refused ({code}")
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
    forge.person = "project_31_bot"
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


@pytest.mark.parametrize("person", ["", "octocat"], ids=["the job's token", "a person's token"])
def test_a_stranger_s_comment_that_begins_like_ours_is_left_alone(tmp_path: Path, forge: Forge, person: str) -> None:
    forge.comments[5] = "<!-- mlops-action: model -->\n# Verdict: pass\n"
    forge.person = person
    assert comment(tmp_path, forge, report="# Verdict: fail\n") == (0, "The comment was written\n")
    assert comment(tmp_path, forge, report="# Verdict: warn\n") == (0, "The comment was updated\n")
    assert forge.comments[5].endswith("# Verdict: pass\n")
    assert len(forge.ours()) == 2


def test_a_merge_request_from_a_fork_gets_its_note_where_it_goes_to(tmp_path: Path, forge: Forge) -> None:
    env = {"GITLAB_CI": "true", "CI_API_V4_URL": f"{forge.url}/api/v4", "CI_PROJECT_ID": "99"}
    env |= {"CI_MERGE_REQUEST_PROJECT_ID": "31", "CI_MERGE_REQUEST_IID": "4", "GITLAB_TOKEN": "gl"}
    forge.person = "project_31_bot"
    assert comment(tmp_path, forge, **env)[0] == 0
    assert forge.asked[-1] == "POST /api/v4/projects/31/merge_requests/4/notes"


def test_a_merge_queue_s_job_comments_on_the_request_that_waits_in_it(tmp_path: Path, forge: Forge) -> None:
    ref = f"refs/heads/gh-readonly-queue/main/pr-41-{'a' * 40}"
    assert comment(tmp_path, forge, GITHUB_REF=ref) == (0, "The comment was written\n")
    assert forge.asked[-1].endswith("/issues/41/comments")


def test_the_outcome_is_an_output_for_later_steps(tmp_path: Path, forge: Forge) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    comment(tmp_path, forge, GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))
    assert not summary.exists(), "the report is where people look already"
    assert outputs(output.read_text()) == {"done": "written"}
    forge.refuse, output = 403, tmp_path / "second"
    comment(tmp_path, forge, GITHUB_OUTPUT=str(output))
    assert outputs(output.read_text()) == {"done": "refused"}


def test_of_a_report_that_may_be_anybody_s_no_more_than_a_megabyte_is_read(tmp_path: Path, forge: Forge) -> None:
    comment(tmp_path, forge, "--untrusted", report="~" * 5_000_000)
    assert [len(body) < 130_000 for body in forge.ours()] == [True]


# Check runs

POLICY = "".join(f"  g{number}: {{metric: a, min: 1}}\n" for number in range(60))


def judged(folder: Path, value: str = "0.5") -> None:
    """Metrics that fail sixty gates, judged."""
    (folder / "mlops.yaml").write_text(f"version: 1\ngates:\n{POLICY}")
    (folder / "metrics.json").write_text(f'{{"a": {value}}}')
    command = [sys.executable, "-m", "mlops_action", "gate", "--metrics", "metrics.json"]
    subprocess.run(command, cwd=folder, env={"PATH": os.environ["PATH"], "HOME": str(folder)}, check=False)


def check_run(folder: Path, forge: Forge, *options: str, **env: str) -> tuple[int, str]:
    report = (folder / "mlops-out" / "report.md").read_text()
    given = {"GITHUB_SHA": "a" * 40, "GITHUB_WORKSPACE": str(folder), **env}
    return comment(folder, forge, "--as-check", *options, report=report, **given)


def test_a_check_run_has_the_verdict_and_all_findings_at_their_lines(tmp_path: Path, forge: Forge) -> None:
    judged(tmp_path)
    assert check_run(tmp_path, forge) == (0, "The check run was written\n")
    [check] = forge.checks
    assert (check["name"], check["head_sha"], check["conclusion"]) == ("model", "a" * 40, "failure")
    found = check["output"]["annotations"]
    assert [each["start_line"] for each in found] == list(range(3, 63))
    assert {(each["path"], each["annotation_level"]) for each in found} == {("mlops.yaml", "failure")}
    assert "## Gates" in check["output"]["summary"]


def test_a_check_run_of_a_pull_request_is_on_its_own_commit_not_on_the_merge(tmp_path: Path, forge: Forge) -> None:
    judged(tmp_path, "2")
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": "b" * 40}}}))
    check_run(tmp_path, forge, GITHUB_EVENT_PATH=str(tmp_path / "event.json"))
    assert (forge.checks[0]["head_sha"], forge.checks[0]["conclusion"]) == ("b" * 40, "success")
    assert forge.checks[0]["output"]["annotations"] == []


def test_without_the_permission_for_check_runs_the_log_says_so_and_nothing_fails(tmp_path: Path, forge: Forge) -> None:
    judged(tmp_path)
    forge.refuse = 403
    ended, said = check_run(tmp_path, forge)
    assert ended == 0
    assert said.startswith("::notice title=mlops-action::no check run: it was refused (403")


def test_a_report_of_a_fork_cannot_become_a_check_run(tmp_path: Path, forge: Forge) -> None:
    judged(tmp_path)
    ended, said = check_run(tmp_path, forge, "--untrusted")
    assert ended == 2
    assert "speaks for the project" in said
    assert forge.checks == []

"""The git repository around a project. Always asks git, never reads ``.git`` itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mlops_action.errors import GitRefused
from mlops_action.frozen import frozen

_TARGET_VARIABLES = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "CHANGE_TARGET",
    "SYSTEM_PULLREQUEST_TARGETBRANCHNAME",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
)
"""Target branch of a pull request as GitHub, GitLab, Jenkins, Azure, Bitbucket and Buildkite tell it."""
_DEFAULT_VARIABLES = ("CI_DEFAULT_BRANCH", "BUILDKITE_PIPELINE_DEFAULT_BRANCH")
_HEADS = "refs/heads/"
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@frozen
class Repository:
    """Git, asked from the project folder."""

    root: Path
    env: Mapping[str, str]

    def bytes_of(
        self, *arguments: str, env: Mapping[str, str] | None = None, given: bytes = b"", at: Path | None = None
    ) -> bytes:
        """Standard output of one git command run in the project folder, or ``at`` another; ``given`` is its input.

        The folder is declared safe for this call alone: in a container the files often
        belong to another user, and the user's configuration must stay as it is.

        Raises:
            GitRefused: git is not installed or ended with an error.
        """
        passed = {"PATH": self.env.get("PATH", os.defpath), "HOME": self.env.get("HOME", "/"), "LC_ALL": "C"}
        try:
            done = subprocess.run(
                ["git", "-c", "safe.directory=*", *arguments],
                cwd=at or self.root,
                env={**passed, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", **(env or {})},
                input=given,
                capture_output=True,
                check=False,
                timeout=120,
            )
        except FileNotFoundError:
            raise GitRefused("git is not installed") from None
        except subprocess.TimeoutExpired:
            raise GitRefused(f"`git {arguments[0]}` did not end within two minutes") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or [f"it ended with {done.returncode}"]
            fatal = next((line for line in said if line.startswith("fatal:")), said[-1])
            raise GitRefused(f"git: {fatal.removeprefix('fatal: ')}")
        return done.stdout

    def text(self, *arguments: str) -> str:
        """Like ``bytes_of``, as text without the final newline."""
        return self.bytes_of(*arguments).decode(errors="replace").rstrip("\n")

    def attempt(self, *arguments: str) -> str:
        """Like ``text``, but empty when git refuses."""
        try:
            return self.text(*arguments)
        except GitRefused:
            return ""

    def present(self) -> bool:
        """Whether the project folder is in a git work tree."""
        return self.attempt("rev-parse", "--is-inside-work-tree") == "true"

    def commit_of(self, ref: str) -> str:
        """Full id of the commit that ``ref`` names, looked for among remote branches as well.

        Raises:
            GitRefused: there is no such commit here.
        """
        if ref.startswith("-"):
            raise GitRefused(f"`{ref}` is not a git reference")
        for candidate in (ref, f"origin/{ref}"):
            found = self.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
            if found:
                return found
        raise GitRefused(f"there is no commit, branch or tag `{ref}` in this clone")

    def requested_branch(self) -> str:
        """Branch that a request or a merge queue's group would go to, as the CI system tells; empty in other jobs."""
        told = [*(self.env.get(name, "") for name in _TARGET_VARIABLES), self._event("merge_group", "base_ref")]
        return next(filter(None, told), "").removeprefix(_HEADS)

    def policy_commit(self) -> str:
        """Commit that a request's policy is compared with: the target branch as it is now, else the base commit.

        The merge-base would let a branch that started long ago bring back the policy of then.

        Raises:
            GitRefused: neither is in this clone.
        """
        tip = f"refs/remotes/origin/{self.requested_branch()}^{{commit}}"
        return self.attempt("rev-parse", "--verify", "--quiet", tip) or self.base_commit()

    def target_branch(self) -> str:
        """Branch that a merge would go to: as the CI system tells, else the default one, else main.

        Raises:
            GitRefused: no such branch is known here.
        """
        if told := self.requested_branch():
            return told
        usual = [self._event("repository", "default_branch"), *(self.env.get(name, "") for name in _DEFAULT_VARIABLES)]
        usual.append(self.attempt("symbolic-ref", "--short", "refs/remotes/origin/HEAD"))
        for branch in filter(None, [*usual, "main", "master"]):
            try:
                self.commit_of(branch)
            except GitRefused:
                continue
            return branch
        raise GitRefused("cannot tell the target branch: no `origin/HEAD`, `main` or `master` here")

    def _event(self, thing: str, name: str) -> str:
        """What GitHub's event says: of a merge queue's group, or of the repository, whatever started the workflow."""
        try:
            return str(json.loads(Path(self.env.get("GITHUB_EVENT_PATH", "")).read_bytes())[thing][name])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def base_commit(self) -> str:
        """Commit to compare with: the merge-base with the target branch.

        On the target branch itself, when everything is committed there already, it is the
        commit before, so that a change is never compared with itself.

        Raises:
            GitRefused: the target branch or its common history is not in this clone.
        """
        head = self.commit_of("HEAD")
        # GitLab computes it, and may not fetch the branch; a merge queue puts the change on other changes that wait.
        told = self.env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "") or self._event("merge_group", "base_sha")
        if _COMMIT.fullmatch(told) and self.attempt("cat-file", "-t", told) == "commit":
            return told
        branch = self.target_branch()
        target = self.attempt("rev-parse", "--verify", "--quiet", f"refs/remotes/origin/{branch}^{{commit}}")
        target = target or self.commit_of(branch)
        base = self.attempt("merge-base", target, head)
        if not base:
            raise GitRefused(f"this clone does not hold the common history with `{branch}`")
        if base != head:
            return base
        before = self.attempt("rev-parse", "--verify", "--quiet", "HEAD^1")
        if not before:
            raise GitRefused("HEAD has no parent in this clone")
        return before

    def file_at(self, commit: str, path: str) -> bytes:
        """Bytes of a file as it was committed; ``path`` is relative to the project folder.

        Raises:
            GitRefused: it is not in that commit.
        """
        return self.bytes_of("cat-file", "blob", f"{commit}:./{path}")

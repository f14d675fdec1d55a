"""Baselines: a metric file beside the project, or as it was committed."""

from __future__ import annotations

import posixpath
from datetime import datetime
from pathlib import Path, PurePath

from mlops_action.canonical import sha256_bytes, sha256_file
from mlops_action.errors import BaselineMissing, BaselineUnavailable, GitRefused, MlopsError
from mlops_action.metrics.collect import MAX_BYTES
from mlops_action.metrics.files import limited_bytes, reader_for
from mlops_action.metrics.history import MAX_BYTES as HISTORY_BYTES
from mlops_action.metrics.history import PastRun, read_history
from mlops_action.records import BaselineIdentity, MetricReading
from mlops_action.repository import Repository

Baseline = tuple[tuple[MetricReading, ...], BaselineIdentity]
History = tuple[tuple[PastRun, ...], BaselineIdentity]


class Baselines:
    """Reads each baseline once, and remembers those that could not be read as well."""

    def __init__(self, root: Path, repository: Repository, now: datetime | None = None) -> None:
        """Take the project folder, which paths are relative to, its repository, and the time (for histories)."""
        self._root = root
        self._repository = repository
        self.now = now
        self._read: dict[str, Baseline | BaselineUnavailable] = {}
        self._histories: dict[str, History] = {}

    def read(self, locator: str) -> Baseline:
        """The readings of a baseline, and which bytes they were read from.

        Args:
            locator: ``git:REF:PATH``, ``git::PATH`` for the base commit, or a path.

        Raises:
            BaselineUnavailable: with the cause and what to do about it.
        """
        if locator not in self._read:
            try:
                self._read[locator] = self._fresh(locator)
            except BaselineUnavailable as problem:
                self._read[locator] = problem
        known = self._read[locator]
        if isinstance(known, BaselineUnavailable):
            raise known
        return known

    @property
    def root(self) -> Path:
        """The project folder."""
        return self._root

    def history(self, locator: str) -> History:
        """The earlier runs of a history file without those of the commit at hand, and which bytes they were read from.

        Raises:
            BaselineUnavailable: with the cause and what to do about it.
        """
        if locator not in self._histories:
            in_git = locator.startswith("git:")
            data, resolved = self._from_git(locator) if in_git else self._from_disk(locator, HISTORY_BYTES)
            try:
                runs = read_history(data, resolved)
            except MlopsError as error:
                raise BaselineUnavailable(
                    f"the history is not readable: {error.message}", origin=error.origin, hint=error.hint
                ) from error
            here = self._repository.attempt("rev-parse", "--verify", "--quiet", "HEAD") if runs else ""
            others = tuple(run for run in runs if not here or run.commit != here)
            self._histories[locator] = others, BaselineIdentity(locator, resolved, f"sha256:{sha256_bytes(data)}")
        return self._histories[locator]

    def file(self, locator: str, folder: Path) -> tuple[Path, BaselineIdentity]:
        """A baseline of any size as a file: itself, or a copy in ``folder``.

        Raises:
            BaselineUnavailable: with the cause and what to do about it.
        """
        if locator and not locator.startswith("git:"):
            path = self._root / locator
            if not path.is_file():
                self._from_disk(locator)
            digest = sha256_file(path)
            return path, BaselineIdentity(locator, Path(locator).as_posix(), f"sha256:{digest}")
        if not locator:
            raise BaselineUnavailable("no baseline is given", hint="name a `baseline` with the predictions")
        data, resolved = self._from_git(locator)
        digest = sha256_bytes(data)
        path = folder / f"{digest[:16]}{PurePath(resolved).suffix}"
        path.write_bytes(data)
        return path, BaselineIdentity(locator, resolved, f"sha256:{digest}")

    def refuse_itself(self, locator: str, reading_origin: str) -> None:
        """Refuse to compare a file with itself: nothing ever drops that way.

        Raises:
            BaselineUnavailable: the baseline is the file that ``reading_origin`` names.
        """
        if locator.startswith("git:"):
            return
        baseline = self._root / locator
        for place, char in enumerate(f"{reading_origin}#"):
            if char in "#:" and _same_file(baseline, self._root / reading_origin[:place]):
                raise BaselineUnavailable(
                    f"the baseline {locator} is the very file that the candidate's value was read from",
                    origin=locator,
                    hint="compare with the file as it was committed, "
                    f"`git::{locator}`, or keep the accepted metrics in another file",
                )

    def _fresh(self, locator: str) -> Baseline:
        if not locator:
            raise BaselineUnavailable("no baseline is given", hint="add `baseline: git::metrics.json` to the policy")
        data, resolved = self._from_git(locator) if locator.startswith("git:") else self._from_disk(locator)
        try:
            readings = tuple(reader_for(resolved, resolved).read(data, resolved))
        except MlopsError as error:
            raise BaselineUnavailable(
                f"the baseline is not readable: {error.message}", origin=error.origin, hint=error.hint
            ) from error
        return readings, BaselineIdentity(locator, resolved, f"sha256:{sha256_bytes(data)}")

    def _from_disk(self, locator: str, most: int = MAX_BYTES) -> tuple[bytes, str]:
        try:
            return limited_bytes(self._root / locator, most), Path(locator).as_posix()
        except (OSError, ValueError) as error:
            absent = isinstance(error, FileNotFoundError)
            cause = "there is no such file" if absent else error
            raise (BaselineMissing if absent else BaselineUnavailable)(
                f"the baseline {locator} cannot be read: {getattr(cause, 'strerror', None) or cause}",
                origin=locator,
                hint="the path is relative to the project folder; "
                "the first time, put the accepted metrics there and commit them",
            ) from error

    def _from_git(self, locator: str) -> tuple[bytes, str]:
        ref, colon, written = locator.removeprefix("git:").partition(":")
        path = posixpath.normpath(written) if written else ""
        if not colon or not path or path.startswith("/") or "\0" in locator:
            raise BaselineUnavailable(
                f"`{locator}` does not name a file in git",
                origin=locator,
                hint="write `git:REF:PATH`, or `git::PATH` for the base of the merge; "
                "PATH is relative to the project folder",
            )
        commit = self._commit(ref, locator)
        try:
            return self._repository.file_at(commit, path), f"git:{commit}:{path}"
        except GitRefused as refusal:
            named = f"`{ref}`" if ref else "the base of the merge"
            raise (BaselineMissing if refusal.about_a_missing_file else BaselineUnavailable)(
                f"{path} is not in commit {commit[:12]} ({named}): {refusal.message}",
                origin=locator,
                hint="the first time, commit the accepted metrics there and give the gate `on-missing: warn` "
                "until that is merged; PATH is relative to the project folder",
            ) from refusal

    def _commit(self, ref: str, locator: str) -> str:
        try:
            return self._repository.commit_of(ref) if ref else self._repository.base_commit()
        except GitRefused as refusal:
            raise BaselineUnavailable(
                f"the baseline's commit is not here: {refusal.message}", origin=locator, hint=self._remedy(ref)
            ) from refusal

    def _remedy(self, ref: str) -> str:
        if not self._repository.present():
            return "run in a git clone of the project, or name a file instead of `git:…`"
        if self._repository.attempt("rev-parse", "--is-shallow-repository") == "true":
            return (
                "the clone is shallow: give actions/checkout `fetch-depth: 0`, GitLab CI `GIT_DEPTH: 0`, "
                "or run `git fetch --unshallow origin`"
            )
        if ref:
            return f"correct the name, or run `git fetch origin {ref}:refs/remotes/origin/{ref}`"
        if not self._repository.attempt("rev-parse", "--verify", "--quiet", "HEAD^1"):
            return "there is nothing before the first commit; compare with a file, or commit the change on a branch"
        return (
            "run `git fetch origin main:refs/remotes/origin/main` (with your target branch), "
            "or say what to compare with: `git:REF:PATH`"
        )


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False

"""Baselines: a file or an output folder beside the project, a file as it was committed, or a run of MLflow."""

from __future__ import annotations

import json
import os
import posixpath
from datetime import datetime
from pathlib import Path, PurePath

from mlops_action.canonical import sha256_bytes, sha256_file
from mlops_action.errors import BaselineMissing, BaselineUnavailable, GitRefused, MlopsError
from mlops_action.metrics.collect import MAX_BYTES
from mlops_action.metrics.files import limited_bytes, reader_for
from mlops_action.metrics.history import MAX_BYTES as HISTORY_BYTES
from mlops_action.metrics.history import PastRun, read_history
from mlops_action.metrics.known_results import at
from mlops_action.records import BaselineIdentity, MetricReading
from mlops_action.repository import Repository

Baseline = tuple[tuple[MetricReading, ...], BaselineIdentity]
STARTS = ("runs:/", "models:/")
"""Locators of runs and models of an MLflow server."""
RESULT_FILES = ("run.json", "manifest.json")
"""Files of an output folder that hold all readings, the fuller one first."""
_IN_FILES = "name a file: a path, or `git:REF:PATH`"
History = tuple[tuple[PastRun, ...], BaselineIdentity]


class Baselines:
    """Reads each baseline once, and remembers those that could not be read as well."""

    def __init__(self, root: Path, repository: Repository, now: datetime | None = None) -> None:
        """Take the project folder, which paths are relative to, its repository, and the time (for histories)."""
        self._root = root
        self._repository = repository
        self.now = now
        self.own: list[Path] = []
        """Output folders of the run that is judged: no baselines for it."""
        self._read: dict[str, Baseline | BaselineUnavailable] = {}
        self._histories: dict[str, History] = {}

    def read(self, locator: str) -> Baseline:
        """The readings of a baseline, and which bytes they were read from.

        Args:
            locator: ``git:REF:PATH``, ``git::PATH`` for the base commit, a path, a folder with the results of a run, or
                ``runs:/RUN_ID``, ``models:/NAME@ALIAS``, ``models:/NAME/VERSION`` of an MLflow server.

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
            if locator.startswith(STARTS):
                raise BaselineUnavailable(f"{locator} is a run, and no history", origin=locator, hint=_IN_FILES)
            data, resolved = self._bytes(locator, HISTORY_BYTES)
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
        if locator.startswith(STARTS):
            raise BaselineUnavailable(f"{locator} has metrics, no rows of predictions", origin=locator, hint=_IN_FILES)
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
        if locator.startswith(STARTS):
            self._refuse_own_run(locator, reading_origin)
            return
        baseline = self._root / locator
        if any(_same_file(baseline, each) or _same_file(baseline.parent, each) for each in self.own):
            raise BaselineUnavailable(
                f"the baseline {locator} is the result of this very run",
                origin=locator,
                hint="fetch the results of an accepted run into a folder of its own, and name that",
            )
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
        on_server = locator.startswith(STARTS)
        data, resolved = self._bytes(locator)
        try:
            readings = tuple(reader_for("run.json" if on_server else resolved, resolved).read(data, resolved))
        except MlopsError as error:
            raise BaselineUnavailable(
                f"the baseline is not readable: {error.message}", origin=error.origin, hint=error.hint
            ) from error
        return readings, BaselineIdentity(locator, resolved, f"sha256:{sha256_bytes(data)}")

    def _refuse_own_run(self, locator: str, reading_origin: str) -> None:
        """A run of MLflow is not compared with itself, exported or going on.

        Raises:
            BaselineUnavailable: the candidate's value is from that run, or the baseline cannot be read.
        """
        run = self.read(locator)[1].resolved.rpartition("runs:/")[2].rstrip(")")
        own = {
            self._repository.env.get("MLFLOW_RUN_ID", ""),
            _exported_run(self._root / reading_origin.partition("#")[0]),
        }
        if run in own:
            raise BaselineUnavailable(
                f"the baseline {locator} is the very run that the candidate's value is from",
                origin=locator,
                hint="compare with the accepted model: `models:/NAME@ALIAS`",
            )

    def _bytes(self, locator: str, most: int = MAX_BYTES) -> tuple[bytes, str]:
        if locator.startswith("git:"):
            return self._from_git(locator)
        if locator.startswith(STARTS):
            from mlops_action.metrics.mlflow_server import fetch_run  # HTTP and TLS only where they are needed

            return fetch_run(locator, self._repository.env)
        return self._from_disk(self._in_folder(locator), most)

    def _in_folder(self, locator: str) -> str:
        """The file in an output folder that holds its readings; any other path as it is.

        Raises:
            BaselineMissing: the folder holds no results of a run.
        """
        if not os.path.isdir(self._root / locator):  # noqa: PTH112  # it is never raised at
            return locator
        for name in RESULT_FILES:
            if (self._root / locator / name).is_file():
                return (PurePath(locator) / name).as_posix()
        raise BaselineMissing(
            f"the folder {locator} holds neither {' nor '.join(RESULT_FILES)}",
            origin=locator,
            hint=f"name the metric file in it: `baseline: {PurePath(locator).as_posix()}/metrics.json`",
        )

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


def _exported_run(path: Path) -> str:
    """The id of the MLflow run that a metric file was exported from, or something that no run is called."""
    try:
        root = json.loads(limited_bytes(path)) if path.suffix == ".json" else None
    except (OSError, ValueError, RecursionError):
        root = None
    found = (at(root, f"{place}.run_id") for place in ("info", "run.info", "mlflow.info"))
    return next((each for each in found if isinstance(each, str)), "-")

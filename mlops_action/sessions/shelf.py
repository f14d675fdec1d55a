"""Where sessions are kept: one private folder for each, found again by project, job and name."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from mlops_action.canonical import pretty_bytes
from mlops_action.codec import encode, load_document
from mlops_action.errors import MlopsError, SessionUnusable
from mlops_action.files import write_whole
from mlops_action.frozen import frozen
from mlops_action.records import KernelChoice
from mlops_action.sessions.identity import checked_name, job_of

SCHEMA = "mlops-action/session/v1"
LONGEST_BASE = 70
"""Characters; a Unix socket's path may have 107."""
FORGOTTEN_SECONDS = 24 * 3600


@frozen
class SessionRecord:
    """What is known of a session."""

    schema: str
    name: str
    root: str
    job: str
    kernel: KernelChoice
    variables: tuple[str, ...]
    idle: int
    started: str
    token: str
    supervisor: int = 0
    ended: str = ""


@frozen
class Place:
    """The files of one session."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Held by the command that uses the session."""
        return self.folder.with_suffix(".lock")

    @property
    def control(self) -> Path:
        """The supervisor's socket."""
        return self.folder / "control"

    @property
    def log(self) -> Path:
        """What the supervisor had to say."""
        return self.folder / "log"

    @property
    def notebook(self) -> Path:
        """Every cell that was run."""
        return self.folder / "session.ipynb"

    @property
    def _record(self) -> Path:
        return self.folder / "session.json"

    def record(self) -> SessionRecord | None:
        """What is known of the session; None when there is none.

        Raises:
            SessionUnusable: the folder is not safe, or what it holds cannot be read.
        """
        if not self._record.exists():
            return None
        check_private(self.folder)
        try:
            return load_document(SessionRecord, self._record, SCHEMA)
        except MlopsError as error:
            hint = "remove the folder; its session was of another version of mlops-action, or is damaged"
            raise SessionUnusable(f"the session in {self.folder} cannot be read: {error.message}", hint=hint) from None

    def write(self, record: SessionRecord) -> None:
        """Keep what is known.

        Raises:
            WriteFailed: no space or no permission.
        """
        write_whole(self._record, pretty_bytes(encode(record)))

    def remove(self) -> None:
        """Remove the files; the lock's file goes with its holder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@frozen
class Shelf:
    """The sessions of one project in one job."""

    base: Path
    root: str
    job: str

    @classmethod
    def of(cls, root: Path, env: Mapping[str, str]) -> Shelf:
        """The shelf for a project folder in the job that ``env`` tells of.

        Raises:
            SessionUnusable: there is no safe folder for it here.
        """
        if os.name != "posix":
            raise SessionUnusable(
                "sessions need Linux or macOS", hint="run everything as steps of one `mlops-action run`"
            )
        return cls(_base(env), str(root.resolve()), job_of(env))

    def place(self, name: str) -> Place:
        """Where the session of that name is, or would be.

        Raises:
            UsageError: it cannot be the name of a session.
        """
        key = "\0".join((self.root, self.job, checked_name(name)))
        return Place(self.base / hashlib.sha256(key.encode()).hexdigest()[:16])

    def all(self) -> list[tuple[Place, SessionRecord]]:
        """The sessions of this job, in whichever folder of it; outside of CI those of this project. By name."""
        found = [(place, record) for place, record in self._everything() if self._mine(record)]
        return sorted(found, key=lambda each: each[1].name)

    def forgotten(self) -> Iterator[Place]:
        """Those of any project and job that nobody has touched for a day."""
        for place, _ in self._everything():
            with suppress(OSError):
                if time.time() - place.folder.stat().st_mtime > FORGOTTEN_SECONDS:
                    yield place

    def forgotten_locks(self) -> Iterator[Path]:
        """Locks whose holders were killed, of sessions of long ago."""
        for lock in self.base.glob("*.lock"):
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > FORGOTTEN_SECONDS:
                    yield lock

    def _mine(self, record: SessionRecord) -> bool:
        return record.job == self.job and (self.job != "" or record.root == self.root)

    def _everything(self) -> Iterator[tuple[Place, SessionRecord]]:
        if not self.base.exists():
            return
        check_private(self.base)
        for folder in self.base.iterdir():
            with suppress(SessionUnusable):
                record = Place(folder).record() if folder.is_dir() else None
                if record is not None:
                    yield Place(folder), record


def make_private(folder: Path) -> None:
    """Make a folder that nobody else can look into; it may be there already.

    Raises:
        SessionUnusable: it is there and is not such a folder, or cannot be made.
    """
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError as error:
        raise SessionUnusable(f"cannot make {folder}: {error.strerror}", hint="set XDG_RUNTIME_DIR or TMPDIR") from None
    check_private(folder)


def check_private(folder: Path) -> None:
    """Refuse a folder that somebody else could have prepared, or can look into.

    Raises:
        SessionUnusable: it is such a folder.
    """
    try:
        seen = folder.lstat()
    except OSError as error:
        raise SessionUnusable(f"cannot use {folder}: {error.strerror}", hint="start the session anew") from None
    wrong = ""
    if not stat.S_ISDIR(seen.st_mode):
        wrong = "it is not a folder"
    elif seen.st_uid != os.geteuid():
        wrong = "it belongs to another user"
    elif seen.st_mode & 0o077:
        wrong = f"others may look into it (mode {stat.S_IMODE(seen.st_mode):o})"
    if wrong:
        hint = "remove it, or set XDG_RUNTIME_DIR to a folder of your own with mode 700"
        raise SessionUnusable(f"{folder} is not used for sessions: {wrong}", hint=hint)


def _base(env: Mapping[str, str]) -> Path:
    """The first of the usual folders that is there, is ours to write to, and has a short name."""
    runtime = env.get("XDG_RUNTIME_DIR", "")
    for parent in filter(None, (runtime, env.get("TMPDIR", ""), "/tmp")):  # noqa: S108  # a folder of our own in it
        base = Path(parent) / f"mlops-action-{os.geteuid()}"
        if base.is_absolute() and len(str(base)) <= LONGEST_BASE and os.access(parent, os.W_OK | os.X_OK):
            return base
    raise SessionUnusable("there is no folder for sessions", hint="set XDG_RUNTIME_DIR to a folder of your own")

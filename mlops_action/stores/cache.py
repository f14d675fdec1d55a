"""Results of earlier runs, by what they were made from: the cache of steps.

``blobs/ab/abcd…`` holds contents by their digest, ``entries/STEP/KEY.json`` says which of them
a step left. Both are whole or absent, never changed, and checked when they are read, so that
runs may share a folder; what one of them prunes is a miss for the others.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from mlops_action.canonical import Json, pretty_bytes, sha256_bytes
from mlops_action.files import write_whole

DEFAULT_FOLDER = ".mlops-cache"
FOLDER_VARIABLE = "MLOPS_ACTION_CACHE"
MOST_DAYS = 30
"""An entry that was not used for so long is removed."""
MOST_BYTES = 5 * 1024**3
"""When all contents together are larger, the entries that were not used for longest are removed."""
GRACE_SECONDS = 3600
"""Younger contents are never removed: another run may be about to name them in an entry."""


def cache_folder(root: Path, env: Mapping[str, str]) -> Path:
    """The project's cache, or the one that the environment names."""
    return root / (env.get(FOLDER_VARIABLE) or DEFAULT_FOLDER)


class Damaged(Exception):
    """What is kept is not what it should be."""


class CacheStore:
    """A folder of contents and entries."""

    def __init__(self, folder: Path, owner: tuple[int, int] | None = None) -> None:
        """Keep everything in ``folder``, which is made when something is kept."""
        self.folder = folder
        self.owner = owner

    def entry(self, step: str, key: str) -> Json:
        """What is kept under ``key``, or None; from now on it counts as just used.

        Raises:
            Damaged: it cannot be read.
        """
        path = self._entry_path(step, key)
        try:
            value = _read(path)
        except FileNotFoundError:
            return None
        with suppress(OSError):
            os.utime(path)
        return value

    def entries(self, step: str) -> list[Json]:
        """All entries of a step that can be read, the latest first."""
        found = []
        for path in self._entry_path(step, "").parent.glob("*.json"):
            with suppress(Damaged, OSError):
                found.append(_read(path))
        return sorted(found, key=lambda entry: str(entry.get("stored", "")), reverse=True)

    def put_entry(self, step: str, key: str, value: Json) -> None:
        """Keep ``value`` under ``key``.

        Raises:
            WriteFailed: no space or no permission.
        """
        self._write(self._entry_path(step, key), pretty_bytes(value))

    def blob(self, digest: str) -> bytes:
        """The content of that hex SHA-256.

        Raises:
            Damaged: it is gone, or is another one.
        """
        try:
            data = self._blob_path(digest).read_bytes()
        except OSError as error:
            raise Damaged(f"a content is gone ({error.strerror})") from error
        if sha256_bytes(data) != digest:
            raise Damaged("a content is not what it was")
        return data

    def put_blob(self, data: bytes) -> str:
        """Keep a content; its hex SHA-256 is returned.

        Raises:
            WriteFailed: no space or no permission.
        """
        digest = sha256_bytes(data)
        try:
            self.blob(digest)
            os.utime(self._blob_path(digest))
        except (Damaged, OSError):
            self._write(self._blob_path(digest), data)
        return digest

    def prune(self, most_bytes: int = MOST_BYTES, most_days: float = MOST_DAYS) -> None:
        """Remove what was not used for long, and what is too much; nothing is said of failures."""
        now = time.time()
        kept: set[str] = set()
        size = 0
        for used, path in sorted(self._ages("entries/*/*.json"), reverse=True):
            named = _contents(path) - kept
            more = sum(_size(self._blob_path(digest)) for digest in named)
            if now - used > most_days * 86400 or size + more > most_bytes:
                _remove(path)
                continue
            size += more
            kept |= named
        for pattern in ("blobs/*/*", ".*.tmp", "entries/*/.*.tmp", "blobs/*/.*.tmp"):
            for used, path in self._ages(pattern):
                if path.name not in kept and now - used > GRACE_SECONDS:
                    _remove(path)

    def _ages(self, pattern: str) -> Iterator[tuple[float, Path]]:
        for path in self.folder.glob(pattern):
            with suppress(OSError):
                yield path.stat().st_mtime, path

    def _write(self, path: Path, data: bytes) -> None:
        mark = self.folder / ".gitignore"
        if not mark.exists():
            write_whole(mark, b"*\n", self.owner)
        write_whole(path, data, self.owner)

    def _entry_path(self, step: str, key: str) -> Path:
        return self.folder / "entries" / sha256_bytes(step.encode())[:16] / f"{key.removeprefix('sha256:')}.json"

    def _blob_path(self, digest: str) -> Path:
        return self.folder / "blobs" / digest[:2] / digest


def _read(path: Path) -> Json:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise Damaged("its entry cannot be read") from error
    if not isinstance(value, dict):
        raise Damaged("its entry cannot be read")
    return value


def _contents(path: Path) -> set[str]:
    """Digests that an entry names."""
    try:
        entry = _read(path)
        return {str(entry["notebook"]), *(str(each["sha256"]) for each in entry["files"])}
    except (Damaged, OSError, KeyError, TypeError):
        return set()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()

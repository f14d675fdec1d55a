"""Many files to digests: large ones side by side, and on request only those that changed since the last time."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from mlops_action.digests import readable
from mlops_action.errors import WriteFailed
from mlops_action.files import write_whole
from mlops_action.records import FileState

_SMALL = 1 << 20
_CLOCK_TICK_NS = 2_000_000_000
"""File systems tell times as coarsely as this; a file that is younger may change without getting another time."""
_VERSION = 2
_DIGITS = 64


class StatCache:
    """Digests of files by their metadata. It saves reading; whoever must be sure reads.

    An edit that keeps size and time still changes the time of the metadata, which nobody can
    set back. A file that was young when it was read is not kept: it could be written again
    within the same tick of the clock.
    """

    def __init__(self, path: Path) -> None:
        """Take what is kept at ``path``; anything unreadable there is as if nothing were kept."""
        self.path = path
        self.hits = 0
        self._known: dict[str, str] = {}  # texts: of many files, lists of numbers are slow to read
        self._seen: dict[str, str] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            kept = json.loads(path.read_bytes())
            files = dict(kept["files"]) if kept["version"] == _VERSION else {}
            self._known = files if all(len(entry) > _DIGITS for entry in files.values()) else {}

    def digest(self, name: str, seen: os.stat_result) -> str:
        """The digest that the file had when its metadata was this; empty when it is not known."""
        entry = self._known.get(name)
        if entry is None or entry[:-_DIGITS] != _key(seen):
            return ""
        self.hits += 1
        self._seen[name] = entry
        return entry[-_DIGITS:]

    def keep(self, name: str, seen: os.stat_result, digest: str, read_at: int) -> None:
        """Keep a digest, unless the file was too young when it was read."""
        if max(seen.st_mtime_ns, seen.st_ctime_ns) < read_at - _CLOCK_TICK_NS:
            self._seen[name] = _key(seen) + digest

    def write(self) -> None:
        """Write what was seen, when it is not what was kept. A cache that cannot be written is none."""
        if self._seen == self._known:
            return
        data = json.dumps({"version": _VERSION, "files": self._seen}, separators=(",", ":")).encode()
        with suppress(WriteFailed, OSError):
            write_whole(self.path, data)


def states_of(root: Path, names: Sequence[str], cache: StatCache | None = None) -> list[FileState | OSError]:
    """Size and digest of each file, or why it cannot be read; in the order of ``names``, relative to ``root``."""
    prefix = f"{root}/"
    found: list[FileState | OSError | None] = []
    for name in names:
        try:
            found.append(_small_state(prefix + name, _shown(name), cache))
        except OSError as error:
            found.append(error)
    large = [name for name, state in zip(names, found, strict=True) if state is None]
    rest = iter(_large_states(large, prefix, cache))
    return [next(rest) if state is None else state for state in found]


def _shown(name: str) -> str:
    """As ``digests.relative_name`` writes it."""
    return name if name.isascii() and "\\" not in name else readable(name.replace("\\", "\\\\"))


def _small_state(path: str, name: str, cache: StatCache | None) -> FileState | None:
    """The state of a small file, or of one that is known; None for a large one."""
    if cache is not None:
        seen = os.stat(path)  # noqa: PTH116  # a path object for each of many files costs more than the call
        digest = cache.digest(name, seen)
        if digest:
            return FileState(name, seen.st_size, digest)
        if seen.st_size > _SMALL:
            return None
    read_at = time.time_ns()
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        seen = os.fstat(handle)
        if seen.st_size > _SMALL:
            return None
        data = _read(handle, seen.st_size)
    finally:
        os.close(handle)
    digest = hashlib.sha256(data).hexdigest()
    if cache is not None and len(data) == seen.st_size:
        cache.keep(name, seen, digest, read_at)
    return FileState(name, len(data), digest)


def _read(handle: int, size: int) -> bytes:
    data = os.read(handle, size + 1)
    if len(data) == size:
        return data
    blocks = [data]
    while blocks[-1]:
        blocks.append(os.read(handle, _SMALL))
    return b"".join(blocks)


def _large_states(names: Sequence[str], prefix: str, cache: StatCache | None) -> list[FileState | OSError]:
    """Large files, several at a time: while they are hashed, Python runs on."""

    def state(name: str) -> FileState | OSError:
        read_at = time.time_ns()
        try:
            with Path(prefix + name).open("rb", buffering=0) as handle:
                before = os.fstat(handle.fileno())
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
                after = os.fstat(handle.fileno())
        except OSError as error:
            return error
        if cache is not None and _key(before) == _key(after):
            cache.keep(_shown(name), after, digest, read_at)
        return FileState(_shown(name), after.st_size, digest)

    if not names:
        return []
    with ThreadPoolExecutor(max_workers=min(len(names), os.cpu_count() or 1, 8)) as pool:
        return list(pool.map(state, names))


def _key(seen: os.stat_result) -> str:
    """Device, inode, size, and the times of the last change of content and of metadata."""
    return f"{seen.st_dev} {seen.st_ino} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} "

"""Declared patterns to files, and files to digests. Nothing outside the project folder is read."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mlops_action.canonical import sha256_bytes, sha256_file
from mlops_action.errors import EnvironmentProblem
from mlops_action.frozen import frozen
from mlops_action.records import FileState, Uncaptured

_MAGIC = re.compile(r"[*?\[]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SMALL = 1 << 20
_NO_DATA = {".gitkeep", ".gitignore", ".gitattributes", ".keep", ".DS_Store", ".ipynb_checkpoints", ".git", ".dvc"}
"""Hidden names that nobody would miss among data."""
_LEADS_OUT = "leads out of the project folder"

Trail = frozenset[tuple[int, int]]
"""Device and inode of the folders above a place; meeting one again is a circle of links."""


@frozen
class Found:
    """What patterns stand for at this moment."""

    root: Path
    names: tuple[str, ...]
    """Paths of the files, relative to the root with forward slashes, in their order."""
    unmatched: tuple[str, ...]
    """Patterns without a single file, where no refused place is the reason."""
    refused: tuple[Uncaptured, ...]
    """Places that were asked for and cannot be had: links that lead out or nowhere, locked folders."""
    skipped: tuple[Uncaptured, ...]
    """What holds no data: devices, pipes, sockets, links in a circle."""

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files, under the root as it was given."""
        return tuple(self.root / name for name in self.names)


def search(root: Path, patterns: Sequence[str]) -> Found:
    """Find the files that ``patterns`` stand for.

    A pattern is relative to ``root``; ``**`` stands for any folders; a folder stands for all
    files under it. A name that starts with a dot is found only when the pattern has the dot.
    """
    walk = _Walk(root)
    unmatched = [pattern for pattern in patterns if not walk.take_pattern(pattern)]
    return Found(
        root,
        tuple(sorted(walk.files)),
        tuple(unmatched),
        _entries(walk.refused),
        _entries(walk.skipped),
    )


def find_files(root: Path, patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Files that ``patterns`` stand for, and what is missing.

    Missing is a pattern without files, and each place that ``search`` refuses, with the reason
    in brackets: a link that leads out of the project never counts as found.
    """
    found = search(root, patterns)
    return list(found.files), [*found.unmatched, *(f"{item.what} ({item.why})" for item in found.refused)]


def file_states(root: Path, patterns: Sequence[str]) -> tuple[FileState, ...]:
    """Sizes and digests of the files that ``patterns`` stand for.

    Raises:
        EnvironmentProblem: a file cannot be read.
    """
    return _states(root, patterns, state_of)


def sizes_only(root: Path, patterns: Sequence[str]) -> tuple[FileState, ...]:
    """Like ``file_states`` without reading any content.

    Raises:
        EnvironmentProblem: a file vanished.
    """
    return _states(root, patterns, lambda root, path: FileState(relative_name(root, path), path.stat().st_size))


def state_of(root: Path, path: Path) -> FileState:
    """Size and digest of one file under ``root``.

    Raises:
        OSError: it cannot be read.
    """
    name, size = relative_name(root, path), path.stat().st_size
    if size > _SMALL:
        return FileState(name, size, sha256_file(path))
    data = path.read_bytes()  # for many small files this is twice as fast as reading in blocks
    return FileState(name, len(data), sha256_bytes(data))


def relative_name(root: Path, path: Path) -> str:
    r"""Path relative to ``root`` as text that every JSON encoder takes; different paths stay different.

    Bytes that are not UTF-8 become ``\xe9``, so a backslash in a name is doubled.
    """
    return readable(path.relative_to(root).as_posix().replace("\\", "\\\\"))


def readable(text: str) -> str:
    r"""``text`` with each half of a character, as odd file names have, written ``\xe9`` or ``\ud800``."""
    return text if text.isascii() else _SURROGATE.sub(lambda half: _escaped(ord(half.group())), text)


def pattern_parts(pattern: str) -> tuple[str, ...] | None:
    """The parts of a pattern between slashes, or None when it does not stay in the project folder."""
    parts = tuple(part for part in pattern.split("/") if part not in {"", "."})
    return None if pattern.startswith("/") or ".." in parts or "\0" in pattern else parts


def _escaped(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _entries(reasons: dict[str, str]) -> tuple[Uncaptured, ...]:
    return tuple(Uncaptured(readable(path), why) for path, why in sorted(reasons.items()))


def _states(root: Path, patterns: Sequence[str], state: Callable[[Path, Path], FileState]) -> tuple[FileState, ...]:
    states = []
    for path in search(root, patterns).files:
        try:
            states.append(state(root, path))
        except OSError as error:
            name = relative_name(root, path)
            raise EnvironmentProblem(f"cannot read {name}: {error.strerror or error}", origin=name) from error
    return tuple(states)


@dataclass
class _Walk:
    """One search. Paths are relative to the root, with slashes; the root itself is empty."""

    root: Path
    files: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Resolve the root once: links are compared with it."""
        self._real_root = self.root.resolve()

    def take_pattern(self, pattern: str) -> bool:
        """Take the files of one pattern; false when there is neither a file nor a refusal that says why."""
        parts = pattern_parts(pattern)
        if parts is None:
            self.refused[pattern] = _LEADS_OUT
            return True
        refused_before = len(self.refused)
        return self._expand("", parts, frozenset(), set()) or len(self.refused) > refused_before

    def _expand(self, here: str, parts: tuple[str, ...], trail: Trail, done: set[tuple[str, tuple[str, ...]]]) -> bool:
        if (here, parts) in done:
            return False
        done.add((here, parts))
        head, rest = parts[0] if parts else "", parts[1:]
        if not parts or (head == "**" and not rest):
            return self._take(here, trail)
        folder = self._open(here, trail)
        if folder is None or not stat.S_ISDIR(folder.st_mode):
            return False
        inner = trail | {(folder.st_dev, folder.st_ino)}
        if head == "**":
            here_too = self._expand(here, rest, trail, done)
            below = [self._expand(child, parts, inner, done) for child in self._folders_in(here, inner)]
            return here_too or any(below)
        taken = [self._expand(child, rest, inner, done) for child in self._named(here, head, bool(rest))]
        return any(taken)

    def _named(self, here: str, part: str, folders: bool) -> list[str]:
        """Children of a folder that one part of a pattern names; a name that is equal needs no pattern."""
        if not _MAGIC.search(part):
            return [_join(here, part)] if os.path.lexists(self.root / _join(here, part)) else []
        fits = re.compile(fnmatch.translate(part)).match
        hidden = part.startswith(".")
        names = [entry.name for entry in self._entries_of(here, hidden=True)]
        named = [_join(here, n) for n in names if n == part or (fits(n) and (hidden or not n.startswith(".")))]
        return [child for child in named if (self.root / child).is_dir()] if folders else named

    def _folders_in(self, here: str, trail: Trail) -> list[str]:
        entries = self._entries_of(here)
        children = [_join(here, entry.name) for entry in entries if not entry.is_file(follow_symlinks=False)]
        return [child for child in children if (self.root / child).is_dir() and self._open(child, trail)]

    def _take(self, here: str, trail: Trail) -> bool:
        """Take a file, or all files under a folder."""
        seen = self._open(here, trail)
        if seen is None:
            return False
        if stat.S_ISREG(seen.st_mode):
            self.files.add(here)
            return True
        if not stat.S_ISDIR(seen.st_mode):
            self.skipped[here] = "is a device, pipe or socket"
            return False
        inner = trail | {(seen.st_dev, seen.st_ino)}
        taken = [self._take_entry(_join(here, e.name), e, inner) for e in self._entries_of(here, hidden=True)]
        return any(taken)

    def _take_entry(self, here: str, entry: os.DirEntry[str], trail: Trail) -> bool:
        if entry.name[0] == ".":
            if entry.name not in _NO_DATA:
                self.skipped[here] = "has a name that starts with a dot: name it to have it recorded"
            return False
        if not entry.is_file(follow_symlinks=False):
            return self._take(here, trail)
        self.files.add(here)
        return True

    def _open(self, here: str, trail: Trail) -> os.stat_result | None:
        """Look at a place, behind its link if it is one; None when it is refused or closes a circle."""
        path = self.root / here
        try:
            seen = path.lstat()
            if stat.S_ISLNK(seen.st_mode):
                seen = path.stat()
                if not path.resolve().is_relative_to(self._real_root):
                    self.refused[here] = _LEADS_OUT
                    return None
        except (OSError, RuntimeError):
            self.refused[here] = "is a link to nowhere" if path.is_symlink() else "cannot be looked at"
            return None
        if (seen.st_dev, seen.st_ino) in trail:
            self.skipped[here] = "is a link to a folder above it"
            return None
        return seen

    def _entries_of(self, here: str, hidden: bool = False) -> list[os.DirEntry[str]]:
        """What is in a folder, by name."""
        try:
            with os.scandir(self.root / here) as entries:
                return sorted((e for e in entries if hidden or not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            self.refused[here] = f"cannot be listed: {error.strerror or error}"
            return []


def _join(here: str, name: str) -> str:
    return f"{here}/{name}" if here else name

r"""One digest for a folder: in-toto's ``dirHash``, which coreutils can compute as well.

It is the SHA-256 of the lines that ``sha256sum`` prints for its files, in the order of their
bytes: ``find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from mlops_action.canonical import sha256_file
from mlops_action.errors import EnvironmentProblem


def dir_hash(folder: Path) -> str:
    """The digest of all regular files below ``folder``. Links are not followed.

    Raises:
        EnvironmentProblem: a name that the lines cannot hold, or a file that cannot be read.
    """
    try:
        return hash_of_lines([(name, sha256_file(folder / name)) for name in _files(folder)])
    except OSError as error:
        raise EnvironmentProblem(f"cannot be read: {error.strerror or error}", origin=str(folder)) from error


def hash_of_lines(files: Iterable[tuple[str, str]]) -> str:
    """The digest for pairs of a path and its hex SHA-256.

    Raises:
        EnvironmentProblem: a name that the lines cannot hold.
    """
    return hashlib.sha256(lines_of(files)).hexdigest()


def lines_of(files: Iterable[tuple[str, str]]) -> bytes:
    """What ``sha256sum`` would print for these files, and takes with ``--check``.

    Raises:
        EnvironmentProblem: a name that the lines cannot hold.
    """
    lines = []
    for name, digest in sorted((os.fsencode(name), digest) for name, digest in files):
        if b"\n" in name or b"\\" in name or b"\r" in name:
            raise EnvironmentProblem(
                f"the name {name!r} has no place in a folder's digest", hint="rename it: sha256sum would escape it"
            )
        lines.append(digest.encode() + b"  " + name + b"\n")
    return b"".join(lines)


def _files(folder: Path) -> list[str]:
    found: list[str] = []
    waiting = [""]
    while waiting:
        here = waiting.pop()
        with os.scandir(folder / here) as entries:
            for entry in entries:
                name = f"{here}/{entry.name}" if here else entry.name
                if entry.is_file(follow_symlinks=False):
                    found.append(name)
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
    return found

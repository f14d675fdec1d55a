"""Files that are whole or absent, whatever kills the process."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from mlops_action.errors import WriteFailed


def write_whole(path: Path, data: bytes, owner: tuple[int, int] | None = None) -> None:
    """Replace ``path`` by ``data`` in one step; the folder is made when it is missing.

    Args:
        path: the file.
        data: its new content.
        owner: user and group that it and a new folder shall belong to.

    On Linux the bytes go to a file without a name, which gets one only when it is
    complete: a kill in between leaves neither a torn file nor a torn temporary one.

    Raises:
        WriteFailed: disk full, no permission, or another refusal of the file system.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}.tmp")
    try:
        make_folder(path.parent, owner)
        with suppress(FileNotFoundError):
            temporary.unlink()
        _fill(temporary, data)
        if owner is not None:
            os.chown(temporary, *owner)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise WriteFailed(
            f"cannot write {path}: {error.strerror or error}",
            origin=str(path),
            hint="free disk space, or choose another folder with `--output-dir`",
        ) from error


def make_folder(folder: Path, owner: tuple[int, int] | None) -> None:
    """Make a folder and those above it that are missing; the new ones belong to ``owner``."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if owner is not None:
        for each in missing:
            os.chown(each, *owner)


def owner_for(folder: Path) -> tuple[int, int] | None:
    """Whom results below ``folder`` belong to: its owner, when we are root and it is not.

    A container runs as root in a checkout of somebody else, who must be able to delete
    what it leaves.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    seen = folder.stat()
    return (seen.st_uid, seen.st_gid) if (seen.st_uid, seen.st_gid) != (0, 0) else None


def hand_over(folder: Path) -> None:
    """Give what is root's below ``folder`` to the folder's owner, when we are root and it is not.

    Notebooks leave files, too: models, caches, folders. Links are not followed.
    """
    owner = owner_for(folder)
    if owner is None:
        return
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(where, name)  # noqa: PTH118  # many files
            with suppress(OSError):
                if os.lstat(path).st_uid == 0:
                    os.lchown(path, *owner)


def _fill(path: Path, data: bytes) -> None:
    """Create ``path`` holding ``data``, nameless until complete where the system can."""
    nameless = getattr(os, "O_TMPFILE", 0)
    if nameless:
        try:
            descriptor = os.open(path.parent, nameless | os.O_WRONLY, 0o666)
        except OSError as error:
            if not _unsupported(error):
                raise
        else:
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(data)
                handle.flush()
                # With a folder's descriptor Python calls linkat(2), which alone follows this link.
                folder = os.open(path.parent, os.O_RDONLY)
                try:
                    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=folder, follow_symlinks=True)
                finally:
                    os.close(folder)
            return
    path.write_bytes(data)


def _unsupported(error: OSError) -> bool:
    """Tell a file system without ``O_TMPFILE`` from a real failure."""
    return error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}


def sweep_leftovers(folder: Path) -> None:
    """Remove temporary files that a killed run left behind."""
    if folder.is_dir():
        for leftover in folder.rglob(".*.tmp"):
            with suppress(OSError):
                leftover.unlink()


Stamp = tuple[int, int, int, int]


def stamp(path: Path) -> Stamp | None:
    """Identity of a file's present content by its metadata, or None when it is absent.

    Two stamps differ when the file was written, replaced or touched in between.
    """
    try:
        seen = path.stat()
    except OSError:
        return None
    return (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)

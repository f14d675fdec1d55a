"""Files that are whole or absent, whatever kills the process."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from mlops_action.errors import WriteFailed


def write_whole(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` in one step; the folder is made when it is missing.

    On Linux the bytes go to a file without a name, which gets one only when it is
    complete: a kill in between leaves neither a torn file nor a torn temporary one.

    Raises:
        WriteFailed: disk full, no permission, or another refusal of the file system.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            temporary.unlink()
        _fill(temporary, data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise WriteFailed(
            f"cannot write {path}: {error.strerror or error}",
            origin=str(path),
            hint="free disk space, or choose another folder with `--output-dir`",
        ) from error


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
                os.link(f"/proc/self/fd/{descriptor}", path, follow_symlinks=True)
            return
    path.write_bytes(data)


def _unsupported(error: OSError) -> bool:
    """Tell a file system without ``O_TMPFILE`` from a real failure."""
    import errno

    return error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}


def sweep_leftovers(folder: Path) -> None:
    """Remove temporary files that a killed run left behind."""
    if folder.is_dir():
        for leftover in folder.rglob(".*.tmp"):
            with suppress(OSError):
                leftover.unlink()


def stamp(path: Path) -> tuple[int, int, int, int] | None:
    """Identity of a file's present content by its metadata, or None when it is absent.

    Two stamps differ when the file was written, replaced or touched in between.
    """
    try:
        seen = path.stat()
    except OSError:
        return None
    return (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)

"""One command at a time uses a session: a lock that ends with the process that holds it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_SECONDS = 0.1


@contextmanager
def locked(path: Path, waiting: Callable[[str], None], seconds: float = float("inf")) -> Iterator[bool]:
    """Hold the lock while inside, and remove its file at the end.

    Args:
        path: the lock's file.
        waiting: is told once who holds it, when it is not free.
        seconds: longest time to wait.

    Yields:
        Whether the lock is held: the time was not over.
    """
    deadline, told, handle = time.monotonic() + seconds, False, _try(path)
    while handle is None and time.monotonic() < deadline:
        if not told:
            waiting(_holder(path))
            told = True
        time.sleep(LOOK_SECONDS)
        handle = _try(path)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            with suppress(OSError):
                path.unlink()
            os.close(handle)


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _try(path: Path) -> int | None:
    """The lock's descriptor, or None when another process holds it."""
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == path.stat().st_ino:  # else its holder has just removed it
            os.truncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _holder(path: Path) -> str:
    with suppress(OSError):
        text = path.read_text()
        return f"process {text}" if text.isdecimal() else "another process"
    return "another process"

"""Locks on files that end with the process that holds them, and with the processes that inherited them.

Where the system has no ``flock`` nothing is locked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]  # it is looked at before it is used

LOOK_SECONDS = 0.1


def share(path: Path) -> int | None:
    """Hold the lock together with others, or None when somebody holds it alone; a descriptor is returned."""
    return _try(path, alone=False)


def take(path: Path, waiting: Callable[[], None] = lambda: None) -> int:
    """Hold the lock alone, after waiting for all others; ``waiting`` is called when there are any."""
    told = False
    while (held := _try(path, alone=True)) is None:
        if not told:
            waiting()
            told = True
        time.sleep(LOOK_SECONDS)
    return held


def take_free(path: Path) -> int | None:
    """Hold the lock alone if nobody else holds it."""
    return _try(path, alone=True)


def let_in(held: int) -> None:
    """Hold together with others what was held alone."""
    if fcntl is not None:
        with suppress(OSError):  # somebody was quicker: it is only held to tell that it is used
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _try(path: Path, *, alone: bool) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(held, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(held), path.stat()):
                return held
        except FileNotFoundError:  # it was removed in between: the lock is another file now
            pass
        except BlockingIOError:
            os.close(held)
            return None
        except BaseException:
            os.close(held)
            raise
        os.close(held)

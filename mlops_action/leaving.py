"""The end of a process."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from typing import NoReturn


def exit_with(work: Callable[[], int | None]) -> NoReturn:
    """End the process with the exit code that ``work`` returns.

    Threads are waited for and exit handlers called as always. Only what Python does after that is
    left out: it takes every module apart, a tenth of a second for a process that ran a notebook.
    """
    codes: list[int] = []
    atexit.register(_leave, codes)  # the first handler: it is called after all others
    try:
        sys.exit(work())
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            codes.append(end.code or 0)
        raise


def _leave(codes: list[int]) -> None:
    if not codes:  # an error that Python tells of
        return
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # nobody reads any more, or it is closed: Python has its ways
        return
    os._exit(codes[0] & 0xFF)

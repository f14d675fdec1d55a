"""A process that ends a kernel when this tool is gone and cannot do so itself (``kill -9``, out of memory).

ipykernel looks after itself; the kernels of R, Deno and xeus stay for ever. The watcher is a
shell that waits for its standard input to end: it costs a millisecond, and no memory to speak of.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

_SCRIPT = """
read -r pid
read -r word
[ "$word" = ended ] && exit
[ -n "$pid" ] && kill -s KILL -- "-$pid"
for again in 1 2 3; do
    for file in $(grep -ls -- "$1=$2" /proc/[0-9]*/environ); do
        file=${file#/proc/}
        kill -s KILL "${file%/environ}"
    done
    sleep 1
done
rm -rf -- "$3"
"""
"""Twice again, for a process that was just being started. The folder holds the key of the kernel's messages."""


class Watch:
    """Watches over one kernel; to be begun before it."""

    def __init__(self, variable: str, value: str, folder: Path) -> None:
        """Mark of the kernel's processes, and the folder that is its own."""
        self._process: subprocess.Popen[bytes] | None = None
        self._told = False
        if os.name == "posix":
            with contextlib.suppress(OSError):  # no shell: kernels are not watched over
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", _SCRIPT, "watch", variable, value, str(folder)],
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", os.defpath)},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )

    def over(self, pid: int) -> None:
        """The kernel's process leads the group ``pid``."""
        self._say(f"{pid}\n")
        self._told = True

    def close(self) -> None:
        """The kernel has ended, or was never started."""
        self._say("ended\n" if self._told else "\nended\n")
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)

    def _say(self, text: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.write(text.encode())
                self._process.stdin.flush()

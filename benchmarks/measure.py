"""One command, measured: wall time, CPU time of all its processes, memory of the largest.

As a script it is the process that starts the command: a small one, as Linux counts the
memory of whoever starts a process as that process's own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 600


@dataclass(frozen=True)
class Measured:
    """What one command took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of the command and of all children that were waited for."""
    rss: float
    """Peak memory of the largest process, in MB."""
    code: int


def measured(command: Sequence[str], cwd: Path, env: Mapping[str, str], log: Path) -> Measured:
    """Run a command to its end; what it prints goes to ``log``."""
    starter = [sys.executable, "-I", "-S", __file__, str(log), *command]
    done = subprocess.run(starter, cwd=cwd, env=dict(env), stdout=subprocess.PIPE, check=True)
    return Measured(**json.loads(done.stdout))


def _measure(log: str, command: list[str]) -> None:
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
    with open(log, "wb") as out:  # noqa: PTH123  # pathlib would make this process larger
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0)
        signal.alarm(SECONDS)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    measures = {"cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024}
    print(json.dumps({"wall": wall, "code": os.waitstatus_to_exitcode(status), **measures}))


if __name__ == "__main__":
    _measure(sys.argv[1], sys.argv[2:])

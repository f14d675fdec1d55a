"""What is left of a session when its supervisor is killed, as CI systems do at the end of a job.

GitHub's runner kills what carries its mark. The kernel carries none, so a second small
process without it waits for the supervisor's end, and takes the kernel along.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops_action.kernels.strays import kill_group, kill_marked

TOKEN = "MLOPS_ACTION_SESSION"  # noqa: S105  # a name
"""Variable by which all processes of a session are known."""


@contextmanager
def watched(token: str, group: int | None, folder: Path) -> Iterator[None]:
    """While inside, the end of this process is the end of the kernel."""
    command = [*own_python("mlops_action.sessions.watch"), token, str(group or 0), str(folder)]
    watcher = subprocess.Popen(
        command,
        env={},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        watcher.kill()
        watcher.wait()


def own_python(module: str) -> list[str]:
    """The command that runs a module of ours, wherever we were imported from; the working directory has no say."""
    ours = str(Path(__file__).parents[2])
    program = f"import sys, runpy; sys.path.append({ours!r}); runpy.run_module({module!r}, run_name='__main__')"
    return [sys.executable, "-I", "-c", program]


def sweep(token: str, folder: Path) -> None:
    """Kill what is left of a session, and remove what its kernel was reached by."""
    kill_marked(TOKEN, token)
    for sockets in folder.glob("mlops-*"):
        shutil.rmtree(sockets, ignore_errors=True)
    with suppress(OSError):
        (folder / "control").unlink()


def main(token: str, group: str, folder: str) -> None:
    """Wait until nobody holds the other end of standard input."""
    while os.read(0, 4096):
        pass
    kill_group(int(group))
    sweep(token, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A scratch copy of a case's folder, and the tool run in it as a CI system would run it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LINE_ENDS = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Ended:
    """What a process said and how it ended."""

    code: int
    raw: bytes

    @property
    def text(self) -> str:
        """Standard output and error together, in the order in which they came."""
        return self.raw.decode("utf-8", errors="replace")

    @property
    def lines(self) -> list[str]:
        """Lines as .NET's ``ReadLine`` splits them: a lone carriage return ends one."""
        return _LINE_ENDS.split(self.text)


def clean_env(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the machine that the tests run on but where programs are."""
    home.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **(extra or {})}


def tool(
    folder: Path, arguments: Sequence[str], env: Mapping[str, str], module: str = "mlops_action", seconds: float = 120
) -> Ended:
    """Run the tool with the interpreter that runs the tests."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def copy_of(case: Path, folder: Path) -> Path:
    """The case's input files in a folder of their own."""
    shutil.copytree(case, folder, ignore=shutil.ignore_patterns("case.yaml"))
    return folder


def commit_all(folder: Path, message: str = "first") -> None:
    """Make the folder a git repository if it is none, and commit everything in it."""
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", message]):
        subprocess.run(["git", *command], cwd=folder, env=env, check=True, capture_output=True)

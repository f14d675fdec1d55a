"""The Python that an environment is built with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops_action.errors import KernelMissing
from mlops_action.frozen import frozen

_VERSION = re.compile(r"3(\.\d+){0,2}")
_PROBE_SECONDS = 10
_PROBE = """
import json, os, sys
machine = os.uname().machine if hasattr(os, "uname") else ""
build = getattr(sys.implementation, "_multiarch", "") or sys.platform
said = [
    getattr(sys, "_base_executable", "") or sys.executable,
    sys.version.split()[0].rstrip("+"),
    sys.implementation.name,
    build + "-" + machine + getattr(sys, "abiflags", ""),
]
print(json.dumps(said))
"""
"""What one Python says of itself: here, and asked as a program."""


@frozen
class Interpreter:
    """One Python; without an ``executable`` it is only known by a part of its version."""

    executable: str
    version: str
    implementation: str = "cpython"
    build: str = ""
    """What it was built for; packages with compiled parts are for one of these."""

    @property
    def real_path(self) -> str:
        """The same for all names of one program: an environment leads to it."""
        return os.path.realpath(self.executable) if self.executable else ""


def own_interpreter() -> Interpreter:
    """The Python that runs us, outside of any virtual environment."""
    build = getattr(sys.implementation, "_multiarch", "") or sys.platform
    machine = os.uname().machine if hasattr(os, "uname") else ""
    return Interpreter(
        getattr(sys, "_base_executable", "") or sys.executable,
        sys.version.split()[0].rstrip("+"),
        sys.implementation.name,
        f"{build}-{machine}{getattr(sys, 'abiflags', '')}",
    )


def is_version(wanted: str) -> bool:
    """Whether ``3.11`` or the like was asked for, and not a program."""
    return _VERSION.fullmatch(wanted) is not None


def find_interpreter(wanted: str, root: Path, env: Mapping[str, str]) -> Interpreter:
    """The Python for a version, a path or a name on PATH; our own when nothing is asked for.

    A version that is not there is given back without an ``executable``: it may be had elsewhere.

    Raises:
        KernelMissing: there is no such program, or it is no Python.
    """
    own = own_interpreter()
    if not wanted:
        return own
    if not is_version(wanted):
        return _named(wanted, root, env)
    if _is(own.version, wanted):
        return own
    for program in _on_path(wanted, env):
        seen = probe(program, env)
        if seen is not None and _is(seen.version, wanted):
            return seen
    return Interpreter("", wanted)


def probe(program: str, env: Mapping[str, str]) -> Interpreter | None:
    """Ask a program which Python it is; None when it is none."""
    passed = {name: env[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in env}
    try:
        done = subprocess.run(
            [program, "-I", "-S", "-c", _PROBE],
            env=passed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
        return Interpreter(*map(str, json.loads(done.stdout.splitlines()[-1])))
    except (OSError, ValueError, TypeError, IndexError, subprocess.SubprocessError):
        return None


def _named(wanted: str, root: Path, env: Mapping[str, str]) -> Interpreter:
    beside = root / wanted
    program = str(beside) if beside.is_file() else shutil.which(wanted, path=env.get("PATH"))
    seen = probe(program, env) if program else None
    if seen is None:
        what = "is no Python interpreter" if program else "does not exist"
        hint = "give a version (`3.11`), a path, or a name on PATH"
        raise KernelMissing(f"the `python` of the environment, `{wanted}`, {what}", hint=hint)
    return seen


def _on_path(wanted: str, env: Mapping[str, str]) -> Iterator[str]:
    """Programs that may be the wanted version, the likely ones first."""
    minor = ".".join(wanted.split(".")[:2])
    for name in dict.fromkeys((f"python{minor}", "python3", "python")):
        for folder in env.get("PATH", "").split(os.pathsep):
            if folder and os.access(Path(folder) / name, os.X_OK):
                yield str(Path(folder) / name)


def _is(version: str, wanted: str) -> bool:
    return f"{version}.".startswith(f"{wanted}.")

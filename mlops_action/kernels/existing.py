"""A Python that is there already: a virtual environment, a conda environment, or any other interpreter, by its path."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mlops_action.errors import KernelMissing
from mlops_action.records import KernelChoice

_ASK_SECONDS = 30
_QUESTION = (
    "from importlib.util import find_spec as f; import sys; "
    "print('%d.%d.%d' % sys.version_info[:3], *[n for n in ('ipykernel', 'pip') if f(n)])"
)


def kernel_of(name: str, python: Path, env: Mapping[str, str]) -> KernelChoice:
    """The kernel of an interpreter that has ipykernel, whether it is registered with Jupyter or not.

    Raises:
        KernelMissing: it has no ipykernel, or is no Python; the hint is the command that installs it.
    """
    prefix = python.parent.parent
    closed = is_environment(prefix)
    if not (closed and any(prefix.glob("lib/python3*/site-packages/ipykernel/__init__.py"))):
        _ask(python, prefix, env)
    argv = (str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}")
    return activated(KernelChoice(name, str(prefix), "python", argv, f"Python of {prefix.name}"), prefix)


def is_environment(prefix: Path) -> bool:
    """Whether it is a virtual or a conda environment: a folder with one Python and its programs."""
    return (prefix / "pyvenv.cfg").is_file() or (prefix / "conda-meta").is_dir()


def activated(choice: KernelChoice, prefix: Path) -> KernelChoice:
    """With what ``activate`` sets: programs that a notebook starts are those of its environment."""
    if not is_environment(prefix):
        return choice
    name = "CONDA_PREFIX" if (prefix / "conda-meta").is_dir() else "VIRTUAL_ENV"
    folder = literal(str(prefix))
    return replace(choice, env={**choice.env, name: folder, "PATH": f"{folder}/bin:${{PATH}}"})


def literal(text: str) -> str:
    """As it stands in a kernelspec's variables, where a dollar begins a name."""
    return text.replace("$", "$$")


def _ask(python: Path, prefix: Path, env: Mapping[str, str]) -> None:
    """Let it say that it has ipykernel.

    Raises:
        KernelMissing: it has none.
    """
    passed = {name: env[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in env}
    try:
        done = subprocess.run(
            [str(python), "-B", "-c", _QUESTION],
            cwd=prefix,
            env=passed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
            check=False,
        )
        said = done.stdout.split() if done.returncode == 0 else []
    except (OSError, ValueError, subprocess.SubprocessError):
        said = []
    if "ipykernel" in said:
        return
    what = "has no ipykernel" if said else "does not work as a Python interpreter"
    hint = f"`{_command(python, prefix, pip='pip' in said)}`" if said else "correct the path, or make it anew"
    raise KernelMissing(f"the Python `{python}` {what}, so no notebook can run in it", hint=hint)


def _command(python: Path, prefix: Path, *, pip: bool) -> str:
    """What installs ipykernel there."""
    if (prefix / "conda-meta").is_dir():
        return shlex.join(["conda", "install", "-y", "-p", str(prefix), "ipykernel"])
    if pip:
        return shlex.join([str(python), "-m", "pip", "install", "ipykernel"])
    return shlex.join(["uv", "pip", "install", "--python", str(python), "ipykernel"])

"""What to do about the failures that users meet most."""

from __future__ import annotations

import re

_MODULE = re.compile(r"No module named '([^'.]+)")

_BY_ERROR = {
    "StdinNotImplementedError": "nobody can answer a prompt in CI: pass the value as a parameter",
    "FileNotFoundError": "paths in a notebook are relative to the folder of mlops.yaml",
    "SystemExit": "let the notebook run to its end instead of leaving it early: the cells after it did not run",
    "CalledProcessError": "a shell command (`!command`) failed; end it with `|| true` where that is fine",
    "MemoryError": "use less data or a machine with more memory",
    "UsageError": "the magic is not known here: load its extension first, or correct its name",
}


def advice_for(error: str, message: str, interpreter: str) -> str:
    """A remedy for an error that a cell raised, or empty.

    Args:
        error: the error's class name.
        message: its message.
        interpreter: the command that runs the kernel.
    """
    missing = _MODULE.search(message)
    if error in {"ModuleNotFoundError", "ImportError"} and missing:
        return f"install `{missing.group(1)}` where the kernel runs ({interpreter})"
    return _BY_ERROR.get(error, "")


def death_advice(how: str) -> str:
    """A remedy for a kernel that died."""
    if "the container's limit" in how:
        return "give the container more (`memory:` beside its `image:`), or use less data"
    if "SIGKILL" in how or "memory" in how:
        return "use less data or a machine with more memory"
    if "exit code 0" in how:
        return "do not call `exit()` or `quit()` in a notebook: the cells after it do not run"
    return "native code (the C part of a library) is the usual cause: run the notebook by hand to see the crash"

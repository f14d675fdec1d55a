"""Code that runs in an IPython kernel before the first cell, out of sight of the notebook."""

from __future__ import annotations

from mlops_action.records import KernelChoice

SHELL_GUARD = """
def _mlops_guard():
    import functools, subprocess
    shell = get_ipython()
    plain = shell.system

    @functools.wraps(plain)
    def guarded(command):
        plain(command)
        code = shell.user_ns.get("_exit_code", 0)
        if code:
            raise subprocess.CalledProcessError(code, command)

    shell.system = guarded

try:
    _mlops_guard()
finally:
    del _mlops_guard
"""
"""Makes a failing ``!command`` raise: IPython itself goes on as if nothing had happened."""


def preparation_for(choice: KernelChoice) -> str:
    """Code for a kernel of this kind; empty for kernels that are not IPython's."""
    return SHELL_GUARD if any("ipykernel" in part for part in choice.argv) else ""

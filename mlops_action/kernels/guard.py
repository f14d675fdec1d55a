"""Code that runs in an IPython kernel before the first cell, out of sight of the notebook."""

from __future__ import annotations

from mlops_action.records import KernelChoice

_SOURCE = """
def _mlops_guard():
    import functools, subprocess
    shell = get_ipython()
    plain = shell.system
    if getattr(plain, "guards", False):
        return

    @functools.wraps(plain)
    def guarded(command):
        plain(command)
        code = shell.user_ns.get("_exit_code", 0)
        if code:
            raise subprocess.CalledProcessError(code, command)

    guarded.guards = True
    shell.system = guarded

def _mlops_queue():
    sender = get_ipython().kernel.iopub_thread
    sender.schedule(lambda: setattr(sender.socket, "sndhwm", 100_000))

try:
    _mlops_guard()
    try:
        _mlops_queue()
    except AttributeError:
        pass
finally:
    del _mlops_guard, _mlops_queue
"""
SHELL_GUARD = f"exec(compile({_SOURCE!r}, '<mlops-action>', 'exec'))"
"""Makes a failing ``!command`` raise: IPython itself goes on as if nothing had happened.

And lets more output wait for us: ZeroMQ drops messages when a thousand of them do, without a word.

It has a file name of its own, so that no traceback takes it for a cell.
"""


def preparation_for(choice: KernelChoice) -> str:
    """Code for a kernel of this kind; empty for kernels that are not IPython's (xeus-python's has IPython inside)."""
    command = " ".join(choice.argv)
    return SHELL_GUARD if "ipykernel" in command or ("xpython" in command and "--raw" not in command) else ""

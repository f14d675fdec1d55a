"""A standard ipykernel that starts and ends quicker, and does not hang when it ends."""

from __future__ import annotations

from collections.abc import Sequence

_STANDARD = ("-m", "ipykernel_launcher")
BESIDE = "MLOPS_ACTION_BESIDE"
"""Variable with a folder that holds ipykernel for an interpreter that does not have it."""
IMPORT = """
import gc, os, sys
gc.disable()
sys.path[:] = [each for each in sys.path if each]
beside = os.environ.pop("MLOPS_ACTION_BESIDE", "")
if os.path.isdir(beside):
    sys.path.append(beside)
del beside
sys.modules["debugpy"] = None
from ipykernel import kernelapp
try:
    import ipykernel.debugger
except ImportError:
    pass
del sys.modules["debugpy"]
try:
    import psutil
    del psutil
except ImportError:
    pass
given = {}
"""
RUN = """
app = kernelapp.IPKernelApp.instance(**given)
app.initialize()
gc.enable()
gc.freeze()
app.start()
control = getattr(app, "control_thread", None)
if control is not None:
    control.join(1)
"""
"""What ``ipykernel_launcher`` does, and besides:

- ipykernel is taken from ``BESIDE`` where the interpreter itself does not have it. The folder is
  the last of ``sys.path``: nothing that a notebook imports comes from there unless it is nowhere else.
- The debugger is not imported: nobody debugs in CI, and it takes a fifth of the start. A
  notebook can still import ``debugpy`` itself. (The kernel looks for it while it is
  initialised, from version 7.4 on, and before that when it is imported.)
- psutil, by which a kernel ends the processes that it has started, is imported now and not
  at its end, where a forked kernel would have to do it once more.
- The garbage collector leaves alone what was there before the first cell: it is library code,
  and looking through it takes most of the kernel's end.
- At the end the control thread is waited for. It flushes what was printed, and does so for
  ever when the output thread is stopped before it, as happens to one kernel in fifty.
"""


def standard_parts(argv: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Of the command of a standard ipykernel, the interpreter with its ``-X`` options and the kernel's arguments.

    None for any other command.
    """
    options = next((at for at, part in enumerate(argv) if at and not part.startswith("-X")), len(argv))
    if tuple(argv[options : options + 2]) != _STANDARD:
        return None
    return list(argv[:options]), list(argv[options + 2 :])


def quick_command(argv: Sequence[str]) -> list[str]:
    """The command of a standard ipykernel, changed to start the same kernel by our program.

    Any other command is given back as it is.
    """
    parts = standard_parts(argv)
    return list(argv) if parts is None else [*parts[0], "-c", IMPORT + RUN, *parts[1]]


def history_arguments(argv: Sequence[str]) -> list[str]:
    """Keeps IPython from writing the cells to its history on disk: they would hold secret parameters."""
    return ["--HistoryManager.hist_file=:memory:"] if any("ipykernel" in part for part in argv) else []

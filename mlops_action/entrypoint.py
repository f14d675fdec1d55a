"""The image's entry point: the action, the command line, or any other program.

Python, not a shell: a shell drops ``INPUT_OUTPUT-DIR`` and the other variables whose name
holds a hyphen.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from mlops_action.cli.main import command_names
from mlops_action.cli.main import main as command_line
from mlops_action.errors import nearest

CANNOT_START = 126
NOT_FOUND = 127
"""What a shell answers, so that CI systems read it as they are used to."""


def main(arguments: Sequence[str]) -> Any:
    """Decide by the first argument.

    Nothing: the action when its inputs are there, else the help. A command or an option of
    ours, or our own name: the command line. Anything else (``sh`` of GitLab, ``cat`` of
    Jenkins) replaces this process.
    """
    if not arguments and any(name.startswith("INPUT_") for name in os.environ):
        from mlops_action import action

        return action.main()
    first = arguments[0] if arguments else "--help"
    if first == "mlops-action":
        return command_line(list(arguments[1:]))
    if first.startswith("-") or first in command_names():
        return command_line([first, *arguments[1:]])
    return _become(list(arguments))


def _become(program: list[str]) -> int:
    """Replace this process by ``program``; returns only when that fails, with the exit code."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what it becomes would inherit that
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606  # replacing ourselves is the point
    except (FileNotFoundError, ValueError):  # ValueError: the name is empty
        hint = nearest(program[0], command_names())
        sys.stderr.write(f"error: this image has no program `{program[0]}`, nor has mlops-action such a command\n")
        sys.stderr.write(f"  hint: {hint}\n")
        return NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"error: cannot start `{program[0]}`: {error.strerror}\n")
        return CANNOT_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The image's entry point: the action, the command line, or any other program.

Python, not a shell: a shell drops ``INPUT_OUTPUT-DIR`` and the other variables whose name
holds a hyphen.
"""

from __future__ import annotations

import os
import signal
import sys

from mlops_action.leaving import exit_with

CANNOT_START = 126
NOT_FOUND = 127
"""What a shell answers, so that CI systems read it as they are used to."""


def main(arguments: list[str]) -> int:
    """Decide by the first argument; the exit code is returned.

    Nothing: the action when its inputs are there, else the help. A command or an option of
    ours, or our own name: the command line. Anything else (``sh`` of GitLab, ``cat`` of
    Jenkins) replaces this process, and at once: Jenkins looks whether it runs.
    """
    if not arguments and any(name.startswith("INPUT_") for name in os.environ):
        from mlops_action import action

        return action.main()
    first = arguments[0] if arguments else "--help"
    if first == "mlops-action":
        return _command_line(arguments[1:])
    if first.startswith("-") or _is_command(first):
        return _command_line([first, *arguments[1:]])
    return _become(arguments)


def _command_line(arguments: list[str]) -> int:
    from mlops_action.cli.main import main as command_line

    return int(command_line(arguments) or 0)


def _is_command(name: str) -> bool:
    """Tell whether it is one of ours: a glance at the folder first, as the import of the command line takes time."""
    if f"{name}.py" not in os.listdir(f"{os.path.dirname(__file__)}/cli"):  # noqa: PTH120, PTH208  # so does pathlib
        return False
    from mlops_action.cli.main import command_names

    return name in command_names()


def _become(program: list[str]) -> int:
    """Replace this process by ``program``; returns only when that fails, with the exit code."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what it becomes would inherit that
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606  # replacing ourselves is the point
    except (FileNotFoundError, ValueError):  # ValueError: the name is empty
        return _unknown(program[0])
    except OSError as error:
        sys.stderr.write(f"error: cannot start `{program[0]}`: {error.strerror}\n")
        return CANNOT_START


def _unknown(name: str) -> int:
    from mlops_action.cli.main import command_names
    from mlops_action.errors import nearest

    sys.stderr.write(f"error: this image has no program `{name}`, nor has mlops-action such a command\n")
    sys.stderr.write(f"  hint: {nearest(name, command_names())}\n")
    return NOT_FOUND


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))

"""The image's entry point: the action, the command line, or any other program.

Python, not a shell: a shell drops ``INPUT_OUTPUT-DIR`` and the other variables whose name
holds a hyphen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from mlops_action.cli.main import command_names
from mlops_action.cli.main import main as command_line


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
    try:
        os.execvp(first, list(arguments))  # noqa: S606  # replacing ourselves is the point
    except OSError as error:
        known = ", ".join(command_names())
        sys.stderr.write(f"error: {first}: {error.strerror}; the commands of mlops-action are {known}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``mlops-action snippet``."""

from __future__ import annotations

import sys
from typing import Any

import click

from mlops_action.boundary import guarded
from mlops_action.cli.common import with_options
from mlops_action.config.sources import from_command_line
from mlops_action.context import Context


@click.command("snippet")
@click.argument("source", required=False, default="", metavar="[-]")
@with_options("snippet")
def command(source: str, **given: Any) -> None:
    """Run a snippet, in a fresh kernel or in a session.

    The code comes from --code, --file, or, with `-`, from standard input. With --session NAME the
    kernel outlives the command, and later snippets of the job see its variables. Nothing is judged.
    """
    context = Context.of_process()

    def work() -> int:
        if source:
            given["code"] = _from_standard_input(source, given)
        settings = from_command_line(given)
        from mlops_action.snippet import Snippet

        return Snippet(settings, context).run()

    sys.exit(guarded(work, context, sys.stderr))


def _from_standard_input(source: str, given: dict[str, Any]) -> str:
    from mlops_action.errors import UsageError

    if source != "-":
        raise UsageError(f"`{source}` is not known here", hint=f"a code file is named by `--file {source}`")
    if given["code"] or given["file"]:
        raise UsageError("code is given twice: on standard input and as an option", hint="leave out one of them")
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 text: {error}") from None

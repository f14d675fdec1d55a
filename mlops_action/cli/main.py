"""``mlops-action``: finds its commands by their files, and imports one when it is used."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from mlops_action import __version__
from mlops_action.cli.common import Commands, files_of
from mlops_action.errors import ExitCode, UsageError
from mlops_action.imports import lighten
from mlops_action.leaving import exit_with

_NOT_COMMANDS = {"common", "main"}


def command_names() -> list[str]:
    """Names of all commands: the files of this folder."""
    return [name for name in files_of("mlops_action.cli") if name not in _NOT_COMMANDS]


class _Commands(Commands):
    """One command per file of this folder."""

    package = "mlops_action.cli"

    def names(self) -> list[str]:
        """The files that are commands."""
        return command_names()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="mlops-action %(version)s")
def cli() -> None:
    """Run notebooks as build steps, judge the model, record how to rebuild it.

    Exit codes: 0 every gate passed, 1 a gate failed, 2 bad usage or configuration, 3 a notebook or
    snippet failed, 4 the environment failed, 5 inconclusive, 70 a bug, 130/143 interrupted.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run a command line, the process's own by default; the exit code is returned or raised."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    lighten()
    try:
        return cli(args=arguments, prog_name="mlops-action", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        sys.exit(_refused(error))
    except click.Abort:
        sys.exit(ExitCode.INTERRUPTED)


def _refused(error: click.UsageError) -> int:
    """Tell a wrong command line as every other error is told."""
    from mlops_action.boundary import guarded
    from mlops_action.context import Context

    asked = error.ctx.command_path if error.ctx is not None else "mlops-action"
    said, hint = error.format_message().rstrip("."), f"`{asked} --help` lists what there is"
    plain = _argument(error)
    if plain:  # what click finds near it leads astray
        said, hint = f"no such option: {plain[0]}", f"give it without an option: `{asked} {plain[1]}`"

    def refuse() -> int:
        raise UsageError(said, hint=hint)

    return guarded(refuse, Context.of_process(), sys.stderr)


def _argument(error: click.UsageError) -> tuple[str, str] | None:
    """The option that was asked for and the argument that it is called as, as in ``run --step train``."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    wanted = error.option_name.lstrip("-").rstrip("s")
    for each in error.ctx.command.params:
        if isinstance(each, click.Argument) and (each.name or "").rstrip("s") == wanted:
            return error.option_name, each.metavar or wanted.upper()
    return None


def console_script() -> NoReturn:
    """Entry point of the console script."""
    exit_with(main)


if __name__ == "__main__":
    console_script()

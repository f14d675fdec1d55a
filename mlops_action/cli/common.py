"""Click options from the one model of options, and the way from a command to the pipeline."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from mlops_action.boundary import guarded
from mlops_action.config.options import flags_of, option_fields
from mlops_action.config.sources import from_command_line
from mlops_action.context import Context

Command = Callable[..., Any]


def files_of(package: str) -> list[str]:
    """Names of the commands of a package: its files."""
    folder = Path(str(import_module(package).__file__)).parent
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


class Commands(click.Group):
    """One command per file of a package, imported when it is used."""

    package = ""

    def names(self) -> list[str]:
        """Names of all commands."""
        return files_of(self.package)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The file names."""
        del ctx
        return self.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's file."""
        del ctx
        if cmd_name not in self.names():
            return None
        command: click.Command = import_module(f"{self.package}.{cmd_name}").command
        return command


def with_options(command: str) -> Callable[[Command], Command]:
    """Decorate a click callback with all options that ``command`` takes."""

    def decorate(function: Command) -> Command:
        for item in reversed(option_fields()):
            if command not in item.metadata["commands"]:
                continue
            flags, metavar = flags_of(item), item.metadata.get("metavar")
            many = item.default == ()
            if not flags:
                function = click.argument(item.name, nargs=-1, metavar=metavar)(function)
            elif isinstance(item.default, bool):
                function = click.option(*flags, item.name, is_flag=True, default=None, help=_help(item))(function)
            else:
                function = click.option(
                    *flags, item.name, multiple=many, default=None, metavar=metavar, help=_help(item)
                )(function)
        return function

    return decorate


def _help(item: Any) -> str:
    many = " May be repeated." if item.default == () else ""
    return str(item.metadata["doc"]).replace("`", "") + many


def run_pipeline(given: dict[str, Any], use: Callable[[Any], int]) -> NoReturn:
    """Build the pipeline from click's values, ``use`` it, and end the process with its exit code."""
    context = Context.of_process()

    def work() -> int:
        settings = from_command_line(given)
        from mlops_action.pipeline import Pipeline

        return use(Pipeline(settings, context))

    sys.exit(guarded(work, context, sys.stderr))


def with_document(work: Callable[[Context], int]) -> NoReturn:
    """Do ``work`` that needs no pipeline, and end the process with its exit code."""
    context = Context.of_process()
    sys.exit(guarded(lambda: work(context), context, sys.stderr))


def say_json(context: Context, value: Any) -> None:
    """Print a JSON value for programs."""
    context.out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

"""Click options from the one model of options, and the way from a command to the pipeline."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from mlops_action.boundary import guarded
from mlops_action.config.options import flags_of, option_fields
from mlops_action.config.sources import from_command_line
from mlops_action.context import Context

Command = Callable[..., Any]


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

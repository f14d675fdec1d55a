"""``mlops-action inputs``."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from mlops_action.boundary import guarded
from mlops_action.context import Context

COMMANDS = ("run", "gate", "manifest")


@click.command("inputs")
@click.argument("what", type=click.Choice(COMMANDS))
def command(what: str) -> NoReturn:
    """Do what the INPUT_* variables of the environment say.

    For templates of CI systems: a value that reaches a variable is never read by a shell.
    """
    context = Context.of_process()

    def work() -> int:
        from mlops_action.config.sources import from_inputs
        from mlops_action.pipeline import Pipeline

        pipeline = Pipeline(from_inputs(context.env), context)
        if what == "gate":
            return pipeline.gate("")
        return pipeline.manifest("", "") if what == "manifest" else pipeline.run()

    sys.exit(guarded(work, context, sys.stderr))

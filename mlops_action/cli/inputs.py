"""``mlops-action inputs``."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from mlops_action.action import COMMANDS, done
from mlops_action.boundary import guarded
from mlops_action.context import Context


@click.command("inputs")
@click.argument("what", type=click.Choice(COMMANDS))
def command(what: str) -> NoReturn:
    """Do what the INPUT_* variables of the environment say.

    For templates of CI systems: a value that reaches a variable is never read by a shell.
    """
    context = Context.of_process()
    sys.exit(guarded(lambda: done(context, what), context, sys.stderr))

"""``mlops-action gate``: judges, and a group of commands about what was judged."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import Commands, run_pipeline, with_options


class _GateCommands(Commands):
    """One command per file of ``gate_commands/``."""

    package = "mlops_action.cli.gate_commands"


@click.group("gate", cls=_GateCommands, invoke_without_command=True)
@click.option("--run", "run_file", default="", metavar="FILE", help="Judge this run.json; by default the latest run.")
@with_options("gate")
@click.pass_context
def command(ctx: click.Context, /, run_file: str, **given: Any) -> None:
    """Judge the gates alone, or explain a verdict.

    Without a command: judges an earlier run's file, or metric files as they are.
    """
    if ctx.invoked_subcommand is None:
        run_pipeline(given, lambda pipeline: pipeline.gate(run_file))

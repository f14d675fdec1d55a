"""``mlops-action manifest``: a group of commands, and the short form of ``manifest capture``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import Commands, run_pipeline, with_options


class _ManifestCommands(Commands):
    """One command per file of ``manifest_commands/``."""

    package = "mlops_action.cli.manifest_commands"


@click.group("manifest", cls=_ManifestCommands, invoke_without_command=True)
@click.option("--run", "run_file", default="", metavar="FILE", help="For capture: the run.json to record.")
@click.option("--verdicts", "verdicts_file", default="", metavar="FILE", help="For capture: its verdicts.json.")
@with_options("manifest")
@click.pass_context
def command(ctx: click.Context, /, run_file: str, verdicts_file: str, **given: Any) -> None:
    """Record a run, verify, compare, explain, export, sign and rebuild it.

    Without a command: capture, which assembles the manifest from the files of the stages before it.
    """
    if ctx.invoked_subcommand is None:
        click.echo("`mlops-action manifest` alone means `mlops-action manifest capture`.", err=True)
        run_pipeline(given, lambda pipeline: pipeline.manifest(run_file, verdicts_file))

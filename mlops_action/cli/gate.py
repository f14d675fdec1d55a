"""``mlops-action gate``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("gate")
@click.option("--run", "run_file", default="", metavar="FILE", help="Judge this run.json; by default the latest run.")
@with_options("gate")
def command(run_file: str, **given: Any) -> None:
    """Judge the gates alone.

    On an earlier run's file, or on metric files as they are.
    """
    run_pipeline(given, lambda pipeline: pipeline.gate(run_file))

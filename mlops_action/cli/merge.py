"""``mlops-action merge``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("merge")
@with_options("merge")
def command(**given: Any) -> None:
    """Put the results of all shards together and judge them.

    Each FOLDER is the output folder of one `run --shard I/N`.
    """
    run_pipeline(given, lambda pipeline: pipeline.merge())

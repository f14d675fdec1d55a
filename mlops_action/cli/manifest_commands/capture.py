"""``mlops-action manifest capture``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("capture")
@click.option("--run", "run_file", default="", metavar="FILE", help="The run.json to record; by default the latest.")
@click.option("--verdicts", "verdicts_file", default="", metavar="FILE", help="Its verdicts.json.")
@with_options("manifest")
def command(run_file: str, verdicts_file: str, **given: Any) -> None:
    """Assemble the manifest from the files of the stages before it."""
    run_pipeline(given, lambda pipeline: pipeline.manifest(run_file, verdicts_file))

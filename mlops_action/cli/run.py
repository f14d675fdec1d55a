"""``mlops-action run``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("run")
@with_options("run")
def command(**given: Any) -> None:
    """Run steps, judge the gates, write the results."""
    run_pipeline(given, lambda pipeline: pipeline.run())

"""``mlops-action check``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("check")
@with_options("check")
def command(**given: Any) -> None:
    """Check the configuration alone."""
    run_pipeline(given, lambda pipeline: pipeline.check())

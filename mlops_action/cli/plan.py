"""``mlops-action plan``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("plan")
@with_options("plan")
def command(**given: Any) -> None:
    """Show what a run would do."""
    run_pipeline(given, lambda pipeline: pipeline.plan())

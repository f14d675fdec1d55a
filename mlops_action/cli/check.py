"""``mlops-action check``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("check")
@click.option("--strict", is_flag=True, help="What would be a warning about the policy is an error.")
@with_options("check")
def command(strict: bool, **given: Any) -> None:
    """Check the configuration alone, and whether its gates make sense."""
    run_pipeline(given, lambda pipeline: pipeline.check(strict))

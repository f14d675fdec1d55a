"""``mlops-action gate explain``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import run_pipeline, with_options


@click.command("explain")
@click.argument("gate", metavar="GATE")
@click.option("--verdicts", "file", default="", metavar="FILE", help="Explain of this verdicts.json; else the latest.")
@click.option("--rows", default=10, metavar="NUMBER", help="At most so many of the rows that got worse most.")
@with_options("gate")
def command(gate: str, file: str, rows: int, **given: Any) -> None:
    """Say all that is known of one gate's verdict.

    Value, limit, distance, interval, baseline, what would pass, the parts that were judged, waivers, and the rows
    of predictions that got worse most.
    """
    from mlops_action.gate_explain import explain

    run_pipeline(given, lambda pipeline: explain(pipeline.settings, pipeline.context, gate, file, rows))

"""``mlops-action history``."""

from __future__ import annotations

import click

from mlops_action.cli.common import with_document
from mlops_action.context import Context


@click.command("history")
@click.argument("history_file", metavar="FILE")
@click.option("--run", "run_file", default="mlops-out/run.json", metavar="FILE", help="The run.json to add.")
@click.option("--any-outcome", is_flag=True, help="Add it even though its gates did not pass.")
def command(history_file: str, run_file: str, any_outcome: bool) -> None:
    """Add what a run measured to a history, for ratchet and history-threshold.

    FILE gets one more line of JSON. Only a run whose gates passed is added: verdicts.json is read beside run.json.
    """

    def work(context: Context) -> int:
        from mlops_action.chronicle import add_to_history

        return add_to_history(context, history_file, run_file, any_outcome=any_outcome)

    with_document(work)

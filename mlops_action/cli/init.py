"""``mlops-action init``."""

from __future__ import annotations

import sys

import click

from mlops_action.boundary import guarded
from mlops_action.context import Context
from mlops_action.scaffold import TEMPLATES


@click.command("init")
@click.option(
    "--ci", "system", type=click.Choice([*TEMPLATES, "none"]), help="CI system; by default as the repository shows."
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
def command(system: str | None, force: bool) -> None:
    """Write mlops.yaml and a CI workflow.

    They are made from the notebooks, requirements and metric files of the repository.
    """
    context = Context.of_process()

    def work() -> int:
        from mlops_action.scaffold.init import initialise

        context.out.writelines(f"{line}\n" for line in initialise(context, system, force))
        return 0

    sys.exit(guarded(work, context, sys.stderr))

"""``mlops-action inspect``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from mlops_action.boundary import guarded
from mlops_action.context import Context


@click.command("inspect")
@click.argument("notebook", metavar="NOTEBOOK")
@click.option(
    "--kernel", default="", metavar="NAME", help="Kernel that says the language, where the notebook does not."
)
@click.option("--cells", "with_cells", is_flag=True, help="List the cells as well: place, id, name, tags, kernel.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(notebook: str, kernel: str, *, with_cells: bool, as_json: bool) -> None:
    """List a notebook's parameters.

    With their types, defaults and comments, as its cell tagged parameters declares them. Nothing is run.
    """
    context = Context.of_process()

    def work() -> int:
        from mlops_action.inspection import inspect, inspection_lines

        found = inspect(Path(context.cwd / notebook), notebook, kernel, with_cells=with_cells)
        lines = [json.dumps(found, indent=2, ensure_ascii=False)] if as_json else inspection_lines(found)
        context.out.writelines(f"{line}\n" for line in lines)
        return 0

    sys.exit(guarded(work, context, sys.stderr))

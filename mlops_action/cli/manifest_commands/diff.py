"""``mlops-action manifest diff``."""

from __future__ import annotations

import click

from mlops_action.cli.common import say_json, with_document
from mlops_action.context import Context


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--exit-code", is_flag=True, help="End with 1 when anything changed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(before: str, after: str, *, exit_code: bool, as_json: bool) -> None:
    """Say what changed between two runs.

    Code, data, parameters, each package, hardware, gates, outputs and metrics. A and B are manifests or the
    folders of runs.
    """

    def work(context: Context) -> int:
        from mlops_action.manifests.diff import differences
        from mlops_action.manifests.read import checked_manifest
        from mlops_action.sanitize import inline

        sides = [checked_manifest(context.cwd / name).whole for name in (before, after)]
        changes = differences(*sides)
        if as_json:
            ids = [side["manifest-id"] for side in sides]
            say_json(context, {"before": ids[0], "after": ids[1], "changes": [each.json() for each in changes]})
        else:
            lines = [f"  {each.kind:<12}  {inline(each.words)}" for each in changes]
            same = "the same identity" if sides[0]["manifest-id"] == sides[1]["manifest-id"] else "another identity"
            context.out.write(f"{len(changes)} {'change' if len(changes) == 1 else 'changes'}, {same}\n")
            context.out.writelines(f"{line}\n" for line in lines)
        return int(exit_code and bool(changes))

    with_document(work)

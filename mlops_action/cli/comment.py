"""``mlops-action comment``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from mlops_action.boundary import guarded
from mlops_action.context import Context


@click.command("comment")
@click.option("--report", default="mlops-out/report.md", metavar="FILE", help="The report, Markdown.")
@click.option("--name", default="model", metavar="NAME", help="Tells this comment from those of other jobs.")
@click.option(
    "--request", "number", default=0, metavar="NUMBER", help="Pull or merge request; the job's own by default."
)
@click.option(
    "--untrusted",
    is_flag=True,
    help="The report comes from code that may not speak for the project (a fork): show it as plain text.",
)
def command(report: str, name: str, number: int, untrusted: bool) -> NoReturn:
    """Keep one comment with the report on a pull or merge request.

    It is written once and then kept up to date. Without the permission, the log says so and nothing fails: the
    verdict is that of the run.
    """
    context = Context.of_process()

    def work() -> int:
        from mlops_action.ci.comment import forge_of, keep_comment
        from mlops_action.errors import CommentRefused, FileMissing
        from mlops_action.sanitize import inline

        path = context.cwd / report
        if not path.is_file():
            raise FileMissing(
                f"there is no report {report}", hint="run `mlops-action run` first, or name it: `--report`"
            )
        text = Path(path).read_text("utf-8", errors="replace")
        try:
            done = keep_comment(forge_of(context.env, number), name, text, trusted=not untrusted)
        except CommentRefused as refused:
            mark = "::notice title=mlops-action::" if context.env.get("GITHUB_ACTIONS") == "true" else ""
            click.echo(f"{mark}{inline(refused.message)}; the report is in the job's summary and in {inline(report)}")
            return 0
        click.echo(f"The comment was {done}" if done != "unchanged" else "The comment is as it was")
        return 0

    sys.exit(guarded(work, context, sys.stderr))

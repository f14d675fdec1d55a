"""``mlops-action comment``."""

from __future__ import annotations

from typing import Any

import click

from mlops_action.cli.common import with_document, with_options
from mlops_action.config.sources import from_command_line


@click.command("comment")
@with_options("comment")
def command(**given: Any) -> None:
    """Keep one comment with the report on a pull or merge request.

    It is written once and then kept up to date. Without the permission, the log says so and nothing fails: the
    verdict is that of the run.
    """
    from mlops_action.comment_desk import CommentDesk

    with_document(lambda context: CommentDesk(from_command_line(given), context).run())

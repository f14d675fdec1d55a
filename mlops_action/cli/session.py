"""``mlops-action session list|stop|export``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_action.boundary import guarded
from mlops_action.cli.common import with_options
from mlops_action.config.sources import from_command_line
from mlops_action.context import Context

if TYPE_CHECKING:
    from mlops_action.session_desk import SessionDesk


@click.group("session")
def command() -> None:
    """List, stop and export the kernels that snippets of this job keep."""


@command.command("list")
@with_options("session")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_sessions(*, as_json: bool, **given: Any) -> None:
    """List the sessions of this job; outside of CI, of this project."""

    def use(desk: SessionDesk) -> list[str]:
        return [json.dumps(list(desk.sessions()), indent=2, ensure_ascii=False)] if as_json else desk.table()

    _at_desk(given, use)


@command.command("stop")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@with_options("session")
@click.option("--all", "everything", is_flag=True, help="Stop all sessions of this job.")
def stop(names: tuple[str, ...], *, everything: bool, **given: Any) -> None:
    """End sessions; each leaves its notebook in the output folder, as sessions/NAME.ipynb.

    As the last step of a job, whatever became of the others: mlops-action session stop --all
    """
    _at_desk(given, lambda desk: desk.stop(names, everything=everything))


@command.command("export")
@click.argument("name", metavar="NAME")
@with_options("session")
@click.option("--output", required=True, metavar="FILE", help="The notebook to write.")
def export(name: str, output: str, **given: Any) -> None:
    """Write what a session has run so far as an executed notebook; the session goes on."""
    _at_desk(given, lambda desk: desk.export(name, Path(output)))


def _at_desk(given: dict[str, Any], use: Callable[[SessionDesk], list[str]]) -> None:
    context = Context.of_process()

    def work() -> int:
        settings = from_command_line(given)
        from mlops_action.session_desk import SessionDesk

        context.out.writelines(f"{line}\n" for line in use(SessionDesk(settings, context)))
        return 0

    sys.exit(guarded(work, context, sys.stderr))

"""A live display below the log, for a person at a terminal; drawn by rich where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mlops_action.ci.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

TIMES_A_SECOND = 4

Rows = Callable[[], Sequence[tuple[str, str]]]
"""What is shown now: the name of each thing that runs, and how far it is."""


def can_draw(console: Console) -> bool:
    """Whether somebody is looking, and rich is installed."""
    return console.watched and find_spec("rich") is not None


@contextmanager
def display(console: Console, rows: Rows) -> Iterator[None]:
    """While inside, draw ``rows`` below the lines of ``console``, and remove them at the end."""
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    def table() -> RenderableType:
        grid = Table.grid(padding=(0, 2))
        for name, how_far in rows():
            grid.add_row(Text(name, style="bold"), Text(how_far, style="dim", no_wrap=True, overflow="ellipsis"))
        return grid

    screen = RichConsole(file=console.out, no_color=not console.colored, force_terminal=True, highlight=False)

    def write(lines: str) -> None:
        screen.print(Text.from_ansi(lines), soft_wrap=True)

    live = Live(
        get_renderable=table,
        console=screen,
        refresh_per_second=TIMES_A_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with live, console.written_by(write):
        yield

"""``report.html`` and the pages below ``html/``: to be read in a browser, from disk or from a CI server.

No script, no inline style, nothing from elsewhere: the pages also work under Jenkins'
Content-Security-Policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_action.formats.html_index import Index
from mlops_action.formats.interface import Account, Files
from mlops_action.records import StepResult

if TYPE_CHECKING:
    from mlops_action.formats.html_notebook import NotebookPage

MAX_NAME = 80
_STYLESHEET = "report.css"


class Html:
    """An index with the verdict first, and one page for each notebook."""

    def render(self, account: Account) -> Files:
        """Stylesheet, plots and pages, and ``report.html``, UTF-8."""
        steps = account.run.steps if account.run is not None else ()
        style = Path(__file__).with_name(_STYLESHEET).read_bytes()
        made: list[tuple[str, bytes]] = [(f"html/{_STYLESHEET}", style)]
        pages: dict[str, NotebookPage] = {}
        for step, name in zip(steps, page_names(steps), strict=True):
            notebook = account.notebooks.get(step.name)
            if notebook is not None:
                from mlops_action.formats.html_notebook import NotebookPage  # only where there are notebooks

                pages[step.name] = NotebookPage(step, notebook, name)
                made += pages[step.name].files()
        return (*made, ("report.html", Index(account, pages).render()))


def page_names(steps: Iterable[StepResult]) -> list[str]:
    """A file name for each step, different on every file system, whatever the steps are called."""
    taken, names = {_STYLESHEET}, []
    for step in steps:
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", step.name).strip(".-")[:MAX_NAME] or "step"
        name, count = stem, 1
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}"
        taken.add(name.lower())
        names.append(name)
    return names

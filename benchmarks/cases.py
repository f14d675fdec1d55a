"""The notebooks that are run, and how to see that a tool ran all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LINES = 50_000
LINE = 400


@dataclass(frozen=True)
class Case:
    """Notebooks in a folder of their own."""

    key: str
    what: str
    make: Callable[[], dict[str, list[str]]]
    """Cells of each notebook by its name."""
    last_line: str
    """What the last cell of every notebook prints."""

    def write(self, folder: Path) -> list[str]:
        """Write the notebooks; their names are returned in order."""
        folder.mkdir(parents=True)
        for name, cells in self.make().items():
            (folder / name).write_text(json.dumps(notebook(cells)))
        return sorted(self.make())


def notebook(cells: list[str]) -> dict[str, object]:
    """Cells as a notebook that never ran."""
    return {
        "cells": [
            {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": {}, "outputs": [], "source": cell}
            for i, cell in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _small(number: int) -> list[str]:
    return ["import math", f"values = [math.sqrt(i) for i in range({number}, 1000)]", "print('done', len(values) > 0)"]


CASES = {
    case.key: case
    for case in (
        Case("a", "one cell", lambda: {"one.ipynb": ["print('done')"]}, "done"),
        Case("b", "200 trivial cells", lambda: {"many.ipynb": [f"print({i})" for i in range(200)]}, "199"),
        Case(
            "c",
            "50,000 lines, 20 MB",
            lambda: {"long.ipynb": [f"for i in range({LINES}):\n    print(str(i).rjust({LINE - 1}))"]},
            str(LINES - 1),
        ),
        Case(
            "d",
            "20 notebooks of 3 cells",
            lambda: {f"nb{i:02d}.ipynb": _small(i) for i in range(20)},
            "done True",
        ),
    )
}


def complete(case: Case, executed: list[Path]) -> bool:
    """Whether the executed notebooks are all there, with their last line."""
    if len(executed) != len(case.make()):
        return False
    return all(_last_line(path) == case.last_line for path in executed)


def _last_line(path: Path) -> str:
    outputs = json.loads(path.read_text())["cells"][-1].get("outputs", [])
    text = "".join("".join(output.get("text", "")) for output in outputs)
    return text.rstrip().rpartition("\n")[2].strip()

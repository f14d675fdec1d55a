"""The notebook of a session: every cell that was run, which CI step ran it, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_action.files import write_whole
from mlops_action.frozen import frozen
from mlops_action.notebooks.cells import MARK, metadata_of
from mlops_action.notebooks.saving import strip_banner
from mlops_action.records import KernelChoice

SESSION = "session"
RUNNING, LOST = "running", "lost"


@frozen
class SessionNotebook:
    """Its file; every change of it is whole or absent."""

    path: Path
    mask: Callable[[str], str] = lambda text: text
    """Masks secret values."""

    def create(self, name: str, kernel: KernelChoice) -> None:
        """An empty one.

        Raises:
            WriteFailed: no space.
        """
        spec = {"name": kernel.name, "display_name": kernel.display_name or kernel.name, "language": kernel.language}
        metadata = {"kernelspec": spec, MARK: {SESSION: name}}
        self._write({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": []})

    def begin(self, source: str, about: dict[str, Any]) -> int:
        """Note that a command has begun; its number is returned.

        Raises:
            WriteFailed: no space.
        """
        notebook = self.read()
        for cell in notebook["cells"]:
            if _about(cell).get("status") == RUNNING:  # its command was killed: nobody could say how it ended
                _about(cell)["status"] = LOST
        number = max((_about(cell).get("command", 0) for cell in notebook["cells"]), default=0) + 1
        cell = {
            "cell_type": "code",
            "id": f"command-{number}",
            "metadata": {MARK: {SESSION: {**about, "command": number, "status": RUNNING}}},
            "source": source,
            "execution_count": None,
            "outputs": [],
        }
        notebook["cells"].append(cell)
        self._write(notebook)
        return number

    def end(self, number: int, executed: str, about: dict[str, Any]) -> None:
        """Put the executed cells of a command in the place of what was noted.

        Args:
            number: the command's.
            executed: its executed notebook, or empty when it never came to a cell.
            about: how it ended.

        Raises:
            WriteFailed: no space.
        """
        notebook = self.read()
        noted = next((cell for cell in notebook["cells"] if _about(cell).get("command") == number), None)
        if noted is None:
            return
        noted["metadata"][MARK][SESSION] |= about
        if executed:
            place = notebook["cells"].index(noted)
            ran = json.loads(executed)
            strip_banner(ran)
            count = sum(cell["cell_type"] == "code" for cell in notebook["cells"][:place])
            for i, cell in enumerate(ran["cells"], start=1):
                cell["id"] = f"command-{number}" if cell is ran["cells"][-1] else f"command-{number}-{i}"
                cell["metadata"].setdefault(MARK, {})[SESSION] = noted["metadata"][MARK][SESSION]
                cell["execution_count"] = count + i if cell["execution_count"] else None
            notebook["cells"][place : place + 1] = ran["cells"]
            if "language_info" in ran["metadata"]:
                notebook["metadata"].setdefault("language_info", ran["metadata"]["language_info"])
        self._write(notebook)

    def read(self) -> dict[str, Any]:
        """What it holds now."""
        found: dict[str, Any] = json.loads(self.path.read_bytes())
        return found

    def _write(self, notebook: dict[str, Any]) -> None:
        text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        write_whole(self.path, self.mask(text).encode(errors="replace"))


def cells_run(path: Path) -> int:
    """How many commands have run a cell."""
    try:
        cells = SessionNotebook(path).read()["cells"]
    except (OSError, ValueError, KeyError):
        return 0
    return len({_about(cell).get("command") for cell in cells})


def _about(cell: Any) -> dict[str, Any]:
    mark = metadata_of(cell).get(MARK)
    found = mark.get(SESSION) if isinstance(mark, dict) else None
    return found if isinstance(found, dict) else {}

"""Choices of cells that no cell answers to, found before anything runs."""

from __future__ import annotations

from mlops_action.config.load import Loaded
from mlops_action.errors import MlopsError
from mlops_action.notebooks.parameters import strip_injected
from mlops_action.notebooks.read import outline
from mlops_action.notebooks.saving import strip_banner
from mlops_action.notebooks.select import chosen_cells
from mlops_action.records import CellSelection


def selection_problem(loaded: Loaded, step: str, selection: CellSelection) -> MlopsError | None:
    """What is wrong with the choice of cells of a step; that a file is no notebook is told elsewhere."""
    notebook = loaded.spec.steps[step].notebook
    if not notebook or selection == CellSelection():
        return None
    try:
        cells = {"cells": list(outline(loaded.root / notebook, notebook).cells)}
    except MlopsError:
        return None
    strip_banner(cells)
    strip_injected(cells)
    try:
        chosen_cells(cells, selection, loaded.origin(f"/steps/{step}/cells"))
    except MlopsError as error:
        return type(error)(f"step `{step}`: {error.message} ({notebook})", origin=error.origin, hint=error.hint)
    return None

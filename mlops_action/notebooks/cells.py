"""What is the same about the cells of every format: ids, tags, names, marks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from mlops_action.errors import BadNotebook

MARK = "mlops-action"
KERNEL = "kernel"
SKIP_TAG = "skip-execution"
WIDGETS = "widgets"
"""Key of a notebook's metadata under which the state of its widgets is kept."""
FEW_CELLS = 40
"""Up to so many are checked sooner than the quick validator is compiled."""
_USABLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def cell_ids(wanted: Iterable[Any]) -> list[str]:
    """An id for each cell: the one that it has when it can be used, else one from its place.

    Ids do not depend on chance, so that equal runs give equal files.
    """
    given = list(wanted)
    taken: set[str] = set()
    ids: list[str | None] = []
    for each in given:
        usable = isinstance(each, str) and _USABLE_ID.fullmatch(each) is not None and each not in taken
        ids.append(each if usable else None)
        taken |= {each} if usable else set()
    for i, found in enumerate(ids):
        if found is None:
            name = f"cell-{i}"
            while name in taken:
                name += "-x"
            taken.add(name)
            ids[i] = name
    return [each for each in ids if each is not None]


def metadata_of(cell: Any) -> dict[str, Any]:
    """Metadata of a cell; whatever else stands in its place counts as none."""
    found = cell.get("metadata")
    return found if isinstance(found, dict) else {}


def tags_of(cell: Any) -> list[str]:
    """Tags of a cell; whatever else stands in their place counts as none."""
    tags = metadata_of(cell).get("tags", [])
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def name_of(cell: Any) -> str:
    """Name of a cell: ``name`` in its metadata, else the title that jupytext and Zeppelin keep there."""
    metadata = metadata_of(cell)
    found = metadata.get("name") or metadata.get("title")
    return found if isinstance(found, str) else ""


def kernel_label(cell: Any) -> str:
    """What the notebook calls the kernel of a cell, or empty for the notebook's first."""
    mark = metadata_of(cell).get(MARK)
    label = mark.get(KERNEL) if isinstance(mark, dict) else None
    return label if isinstance(label, str) else ""


def text_of(source: Any) -> str:
    """A cell's source as one text; nbformat also allows a list of lines."""
    return "".join(map(str, source)) if isinstance(source, list) else str(source or "")


def notebook_of(cells: Iterable[dict[str, Any]], metadata: dict[str, Any], shown_as: str) -> Any:
    """A valid nbformat 4.5 notebook of plain cells.

    Raises:
        BadNotebook: a cell does not fit the format.
    """
    import nbformat

    raw = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}
    notebook = nbformat.from_dict(raw)
    try:
        check(notebook)
    except Exception as error:  # nbformat lets other errors of bad data through
        raise invalid(error, shown_as) from error
    return notebook


def check(notebook: Any) -> None:
    """Hold a notebook against nbformat's schema.

    Raises:
        ValidationError: it is not valid; other errors of bad data come through.
    """
    from nbformat.validator import get_validator, validate

    # For the single outputs that nbclient makes only this one is used, after the other was compiled.
    os.environ.setdefault("NBFORMAT_VALIDATOR", "jsonschema")
    name = "jsonschema" if len(notebook.cells) <= FEW_CELLS else "fastjsonschema"
    if any(get_validator(4, notebook.nbformat_minor, name=name).iter_errors(notebook)):
        validate(notebook)


def invalid(error: Exception, shown_as: str) -> BadNotebook:
    """The first line of what a library says about bad data."""
    said = str(error).strip().splitlines()
    return BadNotebook(f"not a valid notebook: {said[0] if said else type(error).__name__}", origin=shown_as)

"""Jupyter notebooks, any format from 3 on, upgraded in memory; the file is never touched."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_action.errors import BadNotebook
from mlops_action.notebooks.cells import cell_ids, check, invalid, metadata_of, text_of
from mlops_action.notebooks.files import json_of
from mlops_action.notebooks.interface import Cell, Outline

OLDEST = 3


def peek(path: Path, shown_as: str) -> dict[str, Any]:
    """The notebook's raw JSON, without the cost of importing nbformat.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: not a notebook, or of a format that is not known.
    """
    raw = json_of(path, shown_as)
    major = raw.get("nbformat")
    if not isinstance(major, int) or isinstance(major, bool):
        raise BadNotebook("not a notebook: it has no `nbformat`", origin=shown_as)
    if not OLDEST <= major <= 4:
        raise BadNotebook(
            f"of notebook format {major}; formats 3 and 4 are read", origin=shown_as, hint="save it again with Jupyter"
        )
    return raw


def kernel_name_of(raw: dict[str, Any]) -> str:
    """Name of the kernel that the notebook asks for, or empty."""
    return _said(raw, "kernelspec", "name")


def language_name_of(raw: dict[str, Any]) -> str:
    """Language that the notebook is written in, as far as its metadata tell it."""
    return _said(raw, "kernelspec", "language") or _said(raw, "language_info", "name")


def _said(raw: dict[str, Any], section: str, key: str) -> str:
    found = metadata_of(raw).get(section)
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


class Ipynb:
    """Jupyter's own format."""

    def kernel_names(self, path: Path, shown_as: str) -> tuple[str, ...]:
        """The kernelspec's name, from the raw JSON.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a notebook.
        """
        return (kernel_name_of(peek(path, shown_as)),)

    def outline(self, path: Path, shown_as: str) -> Outline:
        """The cells, from the raw JSON.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a notebook.
        """
        raw = peek(path, shown_as)
        found = list(_plain_cells(raw))
        for cell, own in zip(found, cell_ids(cell.pop("id", None) for cell in found), strict=True):
            cell["id"] = own
        return Outline((kernel_name_of(raw),), language_name_of(raw), tuple(found))

    def read(self, path: Path, shown_as: str) -> Any:
        """Read a notebook; see ``NotebookReader``.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a notebook, or not a valid one.
        """
        return _upgraded(peek(path, shown_as), shown_as)


def _plain_cells(raw: dict[str, Any]) -> Iterator[Cell]:
    """Cells of a raw notebook of any format, as format 4 would have them."""
    sheets = raw.get("worksheets") if raw["nbformat"] == OLDEST else [raw]
    for sheet in sheets if isinstance(sheets, list) else []:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else []:
            if isinstance(cell, dict):
                yield _plain_cell(cell, has_id=_has_ids(raw))


def _plain_cell(cell: dict[str, Any], *, has_id: bool) -> Cell:
    kind, source = str(cell.get("cell_type")), text_of(cell.get("source", cell.get("input")))
    if kind in {"heading", "html"}:
        level = cell.get("level")
        source = f"{'#' * (level if isinstance(level, int) else 1)} {source}" if kind == "heading" else source
        kind = "markdown"
    plain = {"cell_type": kind, "source": source, "metadata": metadata_of(cell)}
    return plain | ({"id": cell.get("id")} if has_id else {})


def _has_ids(raw: dict[str, Any]) -> bool:
    """Whether the cells' ids are the notebook's own: formats before 4.5 have none."""
    minor = raw.get("nbformat_minor")
    return raw["nbformat"] == 4 and isinstance(minor, int) and minor >= 5


def _upgraded(raw: dict[str, Any], shown_as: str) -> Any:
    """Raw JSON as an nbformat 4 notebook with an id for each cell.

    Cells without an id get one from their place, so that equal runs give equal files.

    Raises:
        BadNotebook: not a valid notebook.
    """
    import nbformat

    own_ids = _has_ids(raw)
    if raw["nbformat"] == 4:
        _number_cells(raw, own_ids=own_ids)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.convert(nbformat.reader.reads(json.dumps(raw)), 4)
            notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
            _number_cells(notebook, own_ids=own_ids)
            _complete_kernelspec(notebook)
            check(notebook)
    except Exception as error:  # nbformat lets KeyError, TypeError and others of a bad file through
        raise invalid(error, shown_as) from error
    return notebook


def _complete_kernelspec(notebook: dict[str, Any]) -> None:
    """Some tools write only the language; which kernel runs the notebook is decided elsewhere."""
    spec = metadata_of(notebook).get("kernelspec")
    if isinstance(spec, dict):
        spec.setdefault("name", "")
        spec.setdefault("display_name", spec["name"])


def _number_cells(notebook: dict[str, Any], *, own_ids: bool) -> None:
    """Give each cell of an nbformat 4 notebook an id of its own, where its format has ids."""
    cells = notebook.get("cells")
    found = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    wanted = [cell.pop("id", None) for cell in found]
    if _has_ids(notebook):
        for cell, own in zip(found, cell_ids(wanted if own_ids else [None] * len(found)), strict=True):
            cell["id"] = own

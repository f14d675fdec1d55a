"""Jupyter notebooks, any format from 3 on, upgraded in memory; the file is never touched."""

from __future__ import annotations

import json
import warnings
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mlops_action.errors import BadNotebook, FileMissing, nearest

MAX_BYTES = 256 * 1024 * 1024


def peek(path: Path, shown_as: str) -> dict[str, Any]:
    """The notebook's raw JSON, without the cost of importing nbformat.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: not a notebook.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadNotebook(f"larger than {MAX_BYTES} bytes", origin=shown_as, hint="clear its outputs")
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FileMissing(f"there is no notebook {shown_as}", origin=shown_as, hint=_near(path)) from None
    except OSError as error:
        raise BadNotebook(f"not readable: {error.strerror}", origin=shown_as) from error
    except (ValueError, RecursionError) as error:
        hint = "the file is damaged, or it holds the marks of an unfinished git merge"
        raise BadNotebook(f"not a notebook: {error}", origin=shown_as, hint=hint) from None
    if not isinstance(raw, dict) or not isinstance(raw.get("nbformat"), int):
        raise BadNotebook("not a notebook: it has no `nbformat`", origin=shown_as)
    return raw


def _near(path: Path) -> str:
    """What is there instead: a name like the missing one, or what notebooks the folder has."""
    there = sorted(each.name for each in path.parent.glob(f"*{path.suffix}"))
    if not there or len(there) > 10:
        there = get_close_matches(path.name, there, n=1)
    return nearest(path.name, there) or "paths are relative to the folder of mlops.yaml"


def kernel_name_of(raw: dict[str, Any]) -> str:
    """Name of the kernel that the notebook asks for, or empty."""
    metadata = raw.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = spec.get("name") if isinstance(spec, dict) else None
    return name if isinstance(name, str) else ""


class Ipynb:
    """Jupyter's own format."""

    def kernel_names(self, path: Path, shown_as: str) -> tuple[str, ...]:
        """The kernelspec's name, from the raw JSON.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a notebook.
        """
        return (kernel_name_of(peek(path, shown_as)),)

    def read(self, path: Path, shown_as: str) -> Any:
        """Read a notebook; see ``NotebookReader``.

        Raises:
            FileMissing: there is no such file.
            BadNotebook: not a notebook, or not a valid one.
        """
        return _upgraded(peek(path, shown_as), shown_as)


def _upgraded(raw: dict[str, Any], shown_as: str) -> Any:
    """Raw JSON as an nbformat 4 notebook with an id for each cell.

    Cells without an id get one from their place, so that equal runs give equal files.

    Raises:
        BadNotebook: not a valid notebook.
    """
    import nbformat

    _number_cells(raw)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(json.dumps(raw), as_version=4)
            notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
            _number_cells(notebook)
            nbformat.validate(notebook)
    except Exception as error:  # nbformat lets KeyError, TypeError and others of a bad file through
        said = str(error).strip().splitlines()
        reason = said[0] if said else type(error).__name__
        raise BadNotebook(f"not a valid notebook: {reason}", origin=shown_as) from error
    return notebook


def _number_cells(notebook: dict[str, Any]) -> None:
    """Give each cell of an nbformat 4 notebook an id of its own; formats before 4.5 have none."""
    cells = notebook.get("cells")
    if not isinstance(cells, list) or notebook.get("nbformat") != 4:
        return
    with_ids = int(notebook.get("nbformat_minor", 0)) >= 5
    taken: set[str] = set()
    for i, cell in enumerate(each for each in cells if isinstance(each, dict)):
        wanted = cell.pop("id", None)
        if with_ids:
            usable = isinstance(wanted, str) and wanted and wanted not in taken
            cell["id"] = wanted if usable else f"cell-{i}"
            taken.add(cell["id"])

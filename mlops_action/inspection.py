"""What there is to know of a notebook before it runs: kernel, parameters, cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_action.notebooks import language_key
from mlops_action.notebooks.cells import kernel_label, name_of, tags_of
from mlops_action.notebooks.declared import declared_parameters
from mlops_action.notebooks.interface import Outline
from mlops_action.notebooks.parameters import parameters_cell, parameters_label
from mlops_action.notebooks.read import interpreter_kernel, outline
from mlops_action.sanitize import inline

_LANGUAGE_OF = {"python3": "python", "ir": "r", "bash": "bash", "deno": "typescript", "xpython": "python"}
"""Languages of well-known kernels, for notebooks that only name the kernel."""


def inspect(path: Path, shown_as: str, kernel: str = "", *, with_cells: bool = False) -> dict[str, Any]:
    """A notebook as JSON: ``kernels``, ``language``, ``parameters`` (null: any may be given), ``cells``.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: not a notebook.
        ToolMissing: an optional package that reads this format is not installed.
    """
    found = outline(path, shown_as)
    language = _language(found, kernel, shown_as)
    declared = declared_parameters(found.cells, language)
    said: dict[str, Any] = {
        "notebook": shown_as,
        "kernels": [each for each in found.kernels if each],
        "language": language,
        "parameters_cell": parameters_cell(found.cells),
        "parameters": None if declared is None else [asdict(each) for each in declared],
    }
    if with_cells:
        said["cells"] = [
            {
                "index": i,
                "type": cell["cell_type"],
                "id": cell["id"],
                "name": name_of(cell),
                "tags": tags_of(cell),
                "kernel": kernel_label(cell),
                "source": cell["source"],
            }
            for i, cell in enumerate(found.cells)
        ]
    return said


def _language(found: Outline, kernel: str, notebook: str) -> str:
    """Language of the cell of parameters; Python where nothing says another one."""
    label = parameters_label(found.cells)
    own = found.kernels[0] if found.kernels else ""
    name = kernel or interpreter_kernel(label or own, notebook)
    by_kernel = _LANGUAGE_OF.get(name, name.split("-")[0])
    return language_key(name, (found.language if not (kernel or label) else "") or by_kernel or "python")


def inspection_lines(found: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield f"{inline(found['notebook'])}: {found['language']}, kernel {', '.join(found['kernels']) or 'not named'}"
    yield ""
    if found["parameters"] is None:
        reason = "no cell is tagged `parameters`" if found["parameters_cell"] is None else "its language is not read"
        yield f"Parameters: any may be given ({reason})"
    else:
        yield f"Parameters ({len(found['parameters'])}):"
        for each in found["parameters"]:
            kind = f": {inline(each['type'])}" if each["type"] else ""
            doc = f"  # {inline(each['doc'])}" if each["doc"] else ""
            yield f"  {each['name']}{kind} = {inline(each['default']) or '(none)'}{doc}"
    if "cells" in found:
        yield ""
        yield f"Cells ({len(found['cells'])}):"
        yield from (f"  {_cell_line(cell)}" for cell in found["cells"])


def _cell_line(cell: dict[str, Any]) -> str:
    parts = [f"{cell['index']:>3}  {cell['type']:<8}  {cell['id']}"]
    parts += [f"name: {cell['name']}"] if cell["name"] else []
    parts += [f"tags: {', '.join(cell['tags'])}"] if cell["tags"] else []
    parts += [f"kernel: {cell['kernel']}"] if cell["kernel"] else []
    first = next((line.strip() for line in cell["source"].splitlines() if line.strip()), "")
    return inline("  ".join(parts)) + (f"  | {inline(first[:60])}" if first else "")

"""What a notebook does, as a digest that outputs and metadata do not change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from mlops_action.canonical import digest_of
from mlops_action.codec import map_text
from mlops_action.notebooks.cells import kernel_label
from mlops_action.notebooks.deterministic import make_deterministic
from mlops_action.portable import portable

RECIPE = "mlops-action/notebook/v1"
OUTPUT_RECIPE = "mlops-action/outputs/v1"
_SHOWN = ("output_type", "name", "text", "data", "ename", "evalue")


def notebook_digest(notebook: Any, chosen: list[int], kernel: str, language: str) -> str:
    """``sha256:`` of kernel, language and the sources of the chosen code cells in order.

    Line ends, markdown, ids, tags, outputs and execution counts do not count. A cell for
    another kernel counts with what the notebook calls that one.
    """
    cells = [(kernel_label(notebook["cells"][i]), notebook["cells"][i]["source"]) for i in chosen]
    plain = [(label, source.replace("\r\n", "\n")) for label, source in cells]
    sources = [[label, source] if label else source for label, source in plain]
    return digest_of({"recipe": RECIPE, "kernel": kernel, "language": language.lower(), "sources": sources})


def outputs_digest(notebook: Any, masked: Callable[[str], str] = str) -> str:
    """``sha256:`` of what the code cells of an executed notebook printed, showed and raised, in order.

    Execution counts, metadata, tracebacks, ids of widgets and the number of the kernel's process do not count:
    equal computations give an equal digest, whatever time they took. ``masked`` takes secrets away first: what is
    printed of a short one could be guessed from a digest.
    """
    made = copy.deepcopy(notebook)
    make_deterministic(made)
    cells = [cell["outputs"] for cell in made["cells"] if cell["cell_type"] == "code"]
    shown = [[{key: each[key] for key in _SHOWN if key in each} for each in outputs] for outputs in cells]
    return digest_of({"recipe": OUTPUT_RECIPE, "outputs": map_text(portable(shown), masked)}, long_texts=True)

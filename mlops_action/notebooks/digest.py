"""What a notebook does, as a digest that outputs and metadata do not change."""

from __future__ import annotations

from typing import Any

from mlops_action.canonical import digest_of
from mlops_action.notebooks.cells import kernel_label

RECIPE = "mlops-action/notebook/v1"


def notebook_digest(notebook: Any, chosen: list[int], kernel: str, language: str) -> str:
    """``sha256:`` of kernel, language and the sources of the chosen code cells in order.

    Line ends, markdown, ids, tags, outputs and execution counts do not count. A cell for
    another kernel counts with what the notebook calls that one.
    """
    cells = [(kernel_label(notebook["cells"][i]), notebook["cells"][i]["source"]) for i in chosen]
    plain = [(label, source.replace("\r\n", "\n")) for label, source in cells]
    sources = [[label, source] if label else source for label, source in plain]
    return digest_of({"recipe": RECIPE, "kernel": kernel, "language": language.lower(), "sources": sources})

"""What a notebook does, as a digest that outputs and metadata do not change."""

from __future__ import annotations

from typing import Any

from mlops_action.canonical import digest_of

RECIPE = "mlops-action/notebook/v1"


def notebook_digest(notebook: Any, chosen: list[int], kernel: str, language: str) -> str:
    """``sha256:`` of kernel, language and the sources of the chosen code cells in order.

    Line ends, markdown, ids, tags, outputs and execution counts do not count.
    """
    sources = [notebook["cells"][i]["source"].replace("\r\n", "\n") for i in chosen]
    return digest_of({"recipe": RECIPE, "kernel": kernel, "language": language.lower(), "sources": sources})

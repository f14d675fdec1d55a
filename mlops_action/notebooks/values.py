"""Values that a notebook recorded: for later steps, the action's outputs and the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VALUES_MIME = "application/vnd.mlops-action.values.v1+json"
SCRAP_MIME = "application/scrapbook.scrap.json+json"
MAX_BYTES = 64 * 1024
"""A larger value belongs into a file."""


def recorded_values(notebook: Any) -> tuple[dict[str, Any], list[str]]:
    """Values by name (a later one of the same name counts), and the names that are too large.

    Read are outputs of ``VALUES_MIME`` (a JSON object of names and values) and what
    scrapbook's ``glue`` leaves.
    """
    import json

    found: dict[str, Any] = {}
    for data in _bundles(notebook):
        found |= data
    large = [name for name, value in found.items() if len(json.dumps(value, default=str)) > MAX_BYTES]
    return {name: value for name, value in found.items() if name not in large}, large


def look_up(values: dict[str, Any], name: str) -> Any:
    """A value by its name, or by dots into nested ones.

    Raises:
        KeyError: there is none.
    """
    if name in values:
        return values[name]
    first, dot, rest = name.partition(".")
    if dot and isinstance(values.get(first), dict):
        return look_up(values[first], rest)
    raise KeyError(name)


def _bundles(notebook: Any) -> Iterator[dict[str, Any]]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            values, scrap = data.get(VALUES_MIME), data.get(SCRAP_MIME)
            if isinstance(values, dict):
                yield {str(name): value for name, value in values.items()}
            if isinstance(scrap, dict) and isinstance(scrap.get("name"), str):
                yield {scrap["name"]: scrap.get("data")}

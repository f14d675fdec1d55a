"""Options of R Markdown's and Quarto's chunks, as tags and names of cells."""

from __future__ import annotations

import re
from typing import Any

from mlops_action.config.yaml_source import parse_yaml
from mlops_action.errors import MlopsError
from mlops_action.notebooks.cells import SKIP_TAG, tags_of
from mlops_action.notebooks.interface import Cell

_OPTION_LINES = re.compile(r"\A(?:%%\w+[ \t]*\n)?((?:(?:#|//)\|.*(?:\n|\Z))+)")


def with_options(cell: Cell) -> Cell:
    """The cell with its ``#|`` options read: ``label``, ``tags``, ``eval: false``, ``error: true``.

    R Markdown's own (``{r fit, eval=FALSE}``) are in the metadata already.
    """
    options = _options(cell["source"])
    metadata = cell["metadata"]
    if isinstance(options.get("label"), str) and not metadata.get("name"):
        metadata["name"] = options["label"]
    tags = tags_of(cell)
    said = options.get("tags", [])
    tags += [tag for tag in ([said] if isinstance(said, str) else said) if isinstance(tag, str)]
    if options.get("eval", metadata.get("eval")) is False:
        tags.append(SKIP_TAG)
    if options.get("error", metadata.get("error")) is True:
        tags.append("raises-exception")
    if tags:
        metadata["tags"] = list(dict.fromkeys(tags))
    return cell


def _options(source: str) -> dict[str, Any]:
    found = _OPTION_LINES.match(source)
    if found is None:
        return {}
    text = "\n".join(line.partition("|")[2].removeprefix(" ") for line in found[1].splitlines())
    try:
        data = parse_yaml(text, "chunk options").data
    except MlopsError:
        return {}
    if not isinstance(data, dict):
        return {}
    return data | ({} if isinstance(data.get("tags", []), (list, str)) else {"tags": []})

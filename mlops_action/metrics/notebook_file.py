"""Metrics from an executed notebook that is named as a metric file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Written, decoded
from mlops_action.metrics.json_text import parsed, refuse_twice
from mlops_action.metrics.notebook_values import read_json_outputs, read_values
from mlops_action.records import Json, MetricReading
from mlops_action.structure import WrittenFloat

_ERROR = "error"


class NotebookFile:
    """Reads what the notebook's outputs record: values, scraps, and numbers of ``application/json``."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: no notebook of format 4, one that ends in an error, or values that cannot be read.
        """
        notebook = _plain(parsed(decoded(data, file), file), "", file)
        if not isinstance(notebook, Mapping) or not isinstance(notebook.get("cells"), list):
            raise MetricUnreadable(
                "not a notebook of format 4", origin=file, hint="write it again with a Jupyter of this decade"
            )
        _refuse_failed(notebook, file)
        found = read_values(notebook, file)
        return [*found, *read_json_outputs(notebook, file, {(each.name, each.slice) for each in found})]


def _refuse_failed(notebook: Mapping[str, Any], file: str) -> None:
    for index, cell in enumerate(notebook["cells"]):
        metadata = cell.get("metadata") if isinstance(cell, Mapping) else None
        tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
        if isinstance(tags, list) and "raises-exception" in tags:
            continue  # it is meant to
        outputs = cell.get("outputs") if isinstance(cell, Mapping) else None
        for output in outputs if isinstance(outputs, list) else ():
            if isinstance(output, Mapping) and output.get("output_type") == _ERROR:
                raise MetricUnreadable(
                    f"a cell of the notebook raised {str(output.get('ename'))[:80]}",
                    origin=f"{file}#{cell.get('id') or index}",
                    hint="what it recorded before says nothing about its result; run it to its end",
                )


def _plain(value: Json, pointer: str, file: str, depth: int = 0) -> Json:
    """The value with numbers in place of their texts, which they remember."""
    refuse_twice(value, pointer.rpartition("/")[2], f"{file}#{pointer}")
    if depth > 200:
        raise MetricUnreadable("nested absurdly deep", origin=file)
    if isinstance(value, Written):
        number = WrittenFloat("nan")
        number.written = value
        return number
    if isinstance(value, dict):
        return {key: _plain(item, f"{pointer}/{key}", file, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{pointer}/{i}", file, depth + 1) for i, item in enumerate(value)]
    return value

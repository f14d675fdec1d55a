"""Metrics from JSON: nested objects and lists become dotted names; results of known tools are read as such."""

from __future__ import annotations

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Readings, decoded
from mlops_action.metrics.json_text import EXAMPLE, add_leaves, parsed
from mlops_action.metrics.known_results import reader_of
from mlops_action.records import MetricReading


class JsonFile:
    """Reads ``{"test": {"loss": 0.1}, "fold": [1, 2]}`` as ``test.loss``, ``fold.0``, ``fold.1``."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: not JSON, not an object, the same name twice, or absurdly large.
        """
        root = parsed(decoded(data, file), file)
        if not isinstance(root, dict):
            raise MetricUnreadable("the JSON file does not hold an object", origin=file, hint=EXAMPLE)
        found = Readings()
        read_known = reader_of(root)
        if read_known is None:
            add_leaves(root, f"{file}#", found)
        else:
            read_known(root, f"{file}#", found)
        return found.all

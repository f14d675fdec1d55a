"""Metrics from JSON: nested objects and lists become dotted names."""

from __future__ import annotations

from decimal import Decimal
from json import JSONDecodeError, JSONDecoder
from typing import Any

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Leaf, Readings, decoded, exact, leaves
from mlops_action.records import Json, MetricReading

_EXAMPLE = 'write an object such as `{"accuracy": 0.95, "test": {"loss": 0.1}}`'
_TWICE: Any = object()
"""Stands for the value of a repeated key: which of its values is meant, nobody can tell."""


class _Written(str):
    """A number as the file writes it; read where its place is known."""

    __slots__ = ()


class JsonFile:
    """Reads ``{"test": {"loss": 0.1}, "fold": [1, 2]}`` as ``test.loss``, ``fold.0``, ``fold.1``."""

    def read(self, data: bytes, file: str) -> list[MetricReading]:
        """Read all numbers, exactly; see ``MetricReader``.

        Raises:
            MetricUnreadable: not JSON, not an object, the same name twice, or absurdly large.
        """
        root = _parsed(decoded(data, file), file)
        if not isinstance(root, dict):
            raise MetricUnreadable("the JSON file does not hold an object", origin=file, hint=_EXAMPLE)
        found = Readings()
        for leaf in leaves(root, f"{file}#"):
            origin = f"{file}#{leaf.pointer}"
            found.add(leaf.name, _value(leaf, origin), origin)
        return found.all


def _value(leaf: Leaf, origin: str) -> Decimal | None:
    if leaf.value is _TWICE:
        raise MetricUnreadable(
            f"the key `{leaf.pointer.rpartition('/')[2]}` is there twice", origin=origin, hint="remove one of the two"
        )
    return exact(leaf.value, origin) if isinstance(leaf.value, _Written) else None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    built: dict[str, Json] = {}
    for key, value in pairs:
        built[key] = _TWICE if key in built else value
    return built


def _parsed(text: str, file: str) -> Json:
    decoder = JSONDecoder(object_pairs_hook=_object, parse_float=_Written, parse_int=_Written, parse_constant=_Written)
    try:
        return decoder.decode(text)
    except JSONDecodeError as error:
        raise MetricUnreadable(
            f"not JSON: {error.msg}",
            origin=f"{file}:{error.lineno}:{error.colno}",
            hint="comments, trailing commas and single quotes are not JSON; let a JSON library write the file",
        ) from None
    except RecursionError:
        raise MetricUnreadable("nested absurdly deep", origin=file, hint=_EXAMPLE) from None

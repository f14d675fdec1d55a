"""JSON text to plain data in which every number is kept as it was written."""

from __future__ import annotations

from decimal import Decimal
from json import JSONDecodeError, JSONDecoder
from typing import Any

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.collect import Leaf, Readings, Written, exact, leaves
from mlops_action.records import Json

EXAMPLE = 'write an object such as `{"accuracy": 0.95, "test": {"loss": 0.1}}`'
_TWICE: Any = object()
"""Stands for the value of a repeated key: which of its values is meant, nobody can tell."""


def parsed(text: str, file: str) -> Json:
    """The value of a JSON text; numbers are ``Written``.

    Raises:
        MetricUnreadable: not JSON, with line and column, or nested absurdly deep.
    """
    decoder = JSONDecoder(object_pairs_hook=_object, parse_float=Written, parse_int=Written, parse_constant=Written)
    try:
        return decoder.decode(text)
    except JSONDecodeError as error:
        raise MetricUnreadable(
            f"not JSON: {error.msg}",
            origin=f"{file}:{error.lineno}:{error.colno}",
            hint="comments, trailing commas and single quotes are not JSON; let a JSON library write the file",
        ) from None
    except RecursionError:
        raise MetricUnreadable("nested absurdly deep", origin=file, hint=EXAMPLE) from None


def add_leaves(root: Json, where: str, found: Readings, part: str = "") -> None:
    """Add each leaf of ``root`` under its dotted name; ``where`` and its pointer are its origin.

    Raises:
        MetricUnreadable: a key or a name is there twice, or something is absurdly large.
    """
    for leaf in leaves(root, where):
        origin = f"{where}{leaf.pointer}"
        found.add(leaf.name, value_of(leaf, origin), origin, part)


def value_of(leaf: Leaf, origin: str) -> Decimal | None:
    """The number of a leaf, or None for text, null and truth values.

    Raises:
        MetricUnreadable: its key is there twice, or the number cannot be meant.
    """
    refuse_twice(leaf.value, leaf.pointer.rpartition("/")[2], origin)
    return exact(leaf.value, origin) if isinstance(leaf.value, Written) else None


def refuse_twice(value: Json, key: str, origin: str) -> None:
    """Refuse the value of a key that its object holds twice.

    Raises:
        MetricUnreadable: it is such a value.
    """
    if value is _TWICE:
        raise MetricUnreadable(f"the key `{key}` is there twice", origin=origin, hint="remove one of the two")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    built: dict[str, Json] = {}
    for key, value in pairs:
        built[key] = _TWICE if key in built else value
    return built

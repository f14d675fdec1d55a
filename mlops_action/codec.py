"""Records to JSON and back: one generic walk over the dataclasses' types."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from mlops_action.canonical import EXACT, Json
from mlops_action.errors import BadDocument
from mlops_action.structure import Structurer, key_of

R = TypeVar("R")
_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})


def encode(value: Any) -> Json:
    """Turn a record into a JSON value.

    A decimal becomes a JSON number when a double holds it exactly, else (NaN, infinities,
    more digits than a double has) its text.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if is_dataclass(kind):
        return {key: encode(getattr(value, name)) for name, key in _keys(kind)}
    if isinstance(value, (Decimal, StrEnum)):
        return _encode_number(value) if isinstance(value, Decimal) else value.value
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    return value


@cache
def _keys(kind: Any) -> list[tuple[str, str]]:
    """Name and key of each field of a record."""
    return [(item.name, key_of(item.name)) for item in fields(kind)]


def _encode_number(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value() and abs(value) < EXACT:
        return int(value)
    as_double = float(value)
    exact = Decimal(repr(as_double)) == value
    return as_double if exact else str(value)


def map_text(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of a record in which ``change`` was applied to every text, mapping keys aside."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: map_text(getattr(value, item.name), change) for item in fields(value)})
    if isinstance(value, (list, tuple)):
        return type(value)(map_text(item, change) for item in value)
    if isinstance(value, dict):
        return {key: map_text(item, change) for key, item in value.items()}
    return change(value) if type(value) is str else value


def decode(record: type[R], value: Json, where: str) -> R:
    """Build a record from a JSON value.

    Raises:
        BadDocument: with the JSON pointer of the first thing that does not fit.
    """
    structured = Structurer()
    built = structured.read(record, value, "")
    if structured.misfits:
        first = structured.misfits[0]
        raise BadDocument(f"{first.pointer or '/'}: {first.message}", origin=where)
    return built  # type: ignore[no-any-return]  # generic over R


def load_document(record: type[R], path: Path, schema: str) -> R:
    """Read a record from the JSON file that another stage wrote.

    Raises:
        BadDocument: the file is missing, not JSON, of another format, or does not fit.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BadDocument(
            f"{path} does not exist", origin=str(path), hint="run `mlops-action run` first, or name the file"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadDocument(f"{path} is not a readable JSON file: {error}", origin=str(path)) from error
    found = value.get("schema") if isinstance(value, dict) else None
    if found != schema:
        raise BadDocument(
            f"expected a document of format `{schema}`, found `{found}`",
            origin=str(path),
            hint="the file must be one that this version of mlops-action wrote",
        )
    return decode(record, value, str(path))

"""What records are made of."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import Any

from mlops_action.frozen import frozen

Number = Decimal
"""Exact; in JSON a number when a double holds it exactly, else a string."""

Json = Any
"""A JSON value."""


def documented(doc: str, *, schema: Json = None, **options: Any) -> Any:
    """Declare a dataclass field with the sentence that documents it, and a schema where its type says little."""
    return field(metadata={"doc": doc} | ({"schema": schema} if schema else {}), **options)


@frozen
class FileState:
    """A file as it was at one moment."""

    path: str = documented("Path relative to the project folder, with forward slashes.")
    size: int = documented("Bytes.")
    sha256: str = documented("Hex SHA-256 of the bytes; empty where only the size was asked for.", default="")

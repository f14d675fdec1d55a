"""Bytes and digests: one JSON text for one value, one name for one file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

Json = Any
"""A value made of dict, list, str, int, float, bool and None."""


def canonical_bytes(value: Json) -> bytes:
    """Encode ``value`` as RFC 8785 (JCS) JSON.

    Raises:
        ValueError: an integer beyond 2**53 or a number that is not finite; such values
            travel as strings (see ``codec.encode``).
    """
    import rfc8785

    return rfc8785.dumps(value)


def pretty_bytes(value: Json) -> bytes:
    """Encode ``value`` for people: indented, keys in the given order, final newline; halves of characters are `?`."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode(errors="replace")


def digest_of(value: Json) -> str:
    """Name a JSON value: ``sha256:`` and the digest of its canonical bytes."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value)).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of the bytes of a file, read in blocks.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()

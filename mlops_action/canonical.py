"""Bytes and digests: one JSON text for one value, one name for one file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

Json = Any
"""A value made of dict, list, str, int, float, bool and None."""
EXACT = 2**53
"""From here on a double no longer tells whole numbers apart, so RFC 8785 has none."""


def canonical_bytes(value: Json) -> bytes:
    """Encode ``value`` as RFC 8785 (JCS) JSON.

    Raises:
        ValueError: an integer beyond 2**53 or a number that is not finite; such values
            travel as strings (see ``codec.encode``).
    """
    if _is_plain(value):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    import rfc8785

    return rfc8785.dumps(value)


def _is_plain(value: Json) -> bool:
    """Whether Python's own encoder, which is many times quicker, gives the same bytes.

    Both write a fraction with the fewest digits that give it back, and differ in when they use an exponent.
    """
    kind = type(value)
    if kind is str:
        return True
    if kind is float:
        return 1e-4 <= abs(value) < 1e15 and not value.is_integer()
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_plain(item) for key, item in value.items())
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    return value is None or kind is bool or (kind is int and abs(value) < EXACT)


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

"""Bytes and digests: one JSON text for one value, one name for one file."""

from __future__ import annotations

import hashlib
import json
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

Json = Any
"""A value made of dict, list, str, int, float, bool and None."""
EXACT = 2**53
"""From here on a double no longer tells whole numbers apart, so RFC 8785 has none."""
_UNESCAPED = bytes(byte for byte in range(0x20, 0x100) if byte not in b'"\\')
"""Bytes of UTF-8 that stand for themselves in a JSON text."""


def canonical_bytes(value: Json, *, long_texts: bool = False) -> bytes:
    """Encode ``value`` as RFC 8785 (JCS) JSON.

    Args:
        value: what is encoded.
        long_texts: whether most of it is texts of many lines, which are then encoded several times quicker.

    Raises:
        ValueError: an integer beyond 2**53 or a number that is not finite; such values
            travel as strings (see ``codec.encode``).
    """
    if _is_plain(value):
        if long_texts:
            return _encoded(value).encode()
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


def _encoded(value: Json) -> str:
    """What ``json.dumps`` gives for a plain value."""
    if type(value) is str:
        return text_in_json(value)
    if type(value) is dict:
        return "{" + ",".join([f"{encode_basestring(key)}:{_encoded(value[key])}" for key in sorted(value)]) + "}"
    if type(value) is list or type(value) is tuple:
        return "[" + ",".join(map(_encoded, value)) + "]"
    return json.dumps(value)


def text_in_json(text: str) -> str:
    """What ``json.dumps`` gives for a text, with letters of any language as they are."""
    return quoted(text) if only_line_ends(text) else encode_basestring(text)


def quoted(text: str) -> str:
    """A text in JSON of which only the ends of lines are escaped."""
    return '"' + text.replace("\n", "\\n") + '"'


def only_line_ends(text: str) -> bool:
    """Whether JSON escapes nothing in ``text`` but ends of lines: seen many times quicker than an encoder looks."""
    return not text.encode(errors="surrogatepass").translate(None, _UNESCAPED).strip(b"\n")


def pretty_bytes(value: Json) -> bytes:
    """Encode ``value`` for people: indented, keys in the given order, final newline; halves of characters are `?`."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode(errors="replace")


def digest_of(value: Json, *, long_texts: bool = False) -> str:
    """Name a JSON value: ``sha256:`` and the digest of its canonical bytes (see ``canonical_bytes``)."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value, long_texts=long_texts)).hexdigest()


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

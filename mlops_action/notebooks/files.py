"""The bytes of notebook files, and what to say when they are not there."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mlops_action.errors import BadNotebook, FileMissing, nearest

MAX_BYTES = 256 * 1024 * 1024
_HALF = re.compile(r"[\ud800-\udfff]")
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
"""Escapes of JSON: a whole pair, half of one, any other."""


def bytes_of(path: Path, shown_as: str) -> bytes:
    """Content of a notebook file.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: larger than ``MAX_BYTES``, or not readable.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadNotebook(f"larger than {MAX_BYTES} bytes", origin=shown_as, hint="clear its outputs")
        return path.read_bytes()
    except FileNotFoundError:
        raise FileMissing(f"there is no notebook {shown_as}", origin=shown_as, hint=_near(path)) from None
    except OSError as error:
        raise BadNotebook(f"not readable: {error.strerror}", origin=shown_as) from error


def source_of(path: Path, shown_as: str) -> str:
    """Text of a notebook or code file, with a newline as the end of each line.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: not UTF-8 text.
    """
    try:
        text = bytes_of(path, shown_as).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadNotebook(
            f"not UTF-8 text: {error.reason} at byte {error.start}", origin=shown_as, hint="save it as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def json_of(path: Path, shown_as: str) -> dict[str, Any]:
    """The JSON object in a notebook file.

    Raises:
        FileMissing: there is no such file.
        BadNotebook: not JSON, or no object.
    """
    try:
        raw = json.loads(_whole_characters(bytes_of(path, shown_as)))
    except (ValueError, RecursionError) as error:
        hint = "the file is damaged, or it holds the marks of an unfinished git merge"
        raise BadNotebook(f"not a notebook: {error}", origin=shown_as, hint=hint) from None
    if not isinstance(raw, dict):
        raise BadNotebook("not a notebook: it holds no JSON object", origin=shown_as)
    return raw


def _whole_characters(data: bytes) -> str:
    """JSON text in which half of a character, which no kernel and no file could be given, is U+FFFD.

    Raises:
        ValueError: not text.
    """
    text = _HALF.sub("\ufffd", data.decode(json.detect_encoding(data), "surrogatepass"))
    return _ESCAPE.sub(_mended, text) if "\\ud" in text or "\\uD" in text else text


def _mended(found: re.Match[str]) -> str:
    return "\\ufffd" if found["half"] else found[0]


def _near(path: Path) -> str:
    """What is there instead: a name like the missing one, or what notebooks the folder has."""
    there = sorted(each.name for each in path.parent.glob(f"*{path.suffix}"))
    if not there or len(there) > 10:
        there = get_close_matches(path.name, there, n=1)
    return nearest(path.name, there) or "paths are relative to the folder of mlops.yaml"

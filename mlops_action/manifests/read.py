"""A manifest from its file, whatever released version wrote it; nothing in it is believed before it is checked."""

from __future__ import annotations

import copy
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_action.assemble import check_manifest
from mlops_action.canonical import EXACT, Json, canonical_bytes, sha256_bytes
from mlops_action.errors import BadDocument
from mlops_action.file_lists import KINDS, files_in
from mlops_action.formats.recorded import DATA, Recorded, long_lists, part
from mlops_action.frozen import frozen
from mlops_action.stores.folder import LIST_FILE, MANIFEST_FILE

MOST_BYTES = 256 * 1024 * 1024
_DIGITS = 20


@frozen
class Document:
    """A manifest, and the file that it was read from."""

    path: Path
    data: bytes
    value: Json

    @property
    def folder(self) -> Path:
        """Where the other files of the run are."""
        return self.path.parent

    def part(self, *keys: str) -> Json:
        """What is at a place; an empty mapping when there is nothing."""
        return part(self.value, *keys)

    def listed_data(self) -> list[Recorded] | None:
        """The data files of a manifest that only has their digest; None when the list is missing or altered."""
        wanted = self.part("identity", "data")
        if not isinstance(wanted, dict) or not wanted:
            return []
        try:
            data = (self.folder / LIST_FILE).read_bytes()
        except OSError:
            return None
        if sha256_bytes(data) != wanted.get("dirHash"):
            return None
        lines = (os.fsdecode(line).partition("  ") for line in data.splitlines())
        return [Recorded(DATA, name, digest) for digest, _, name in lines]

    @cached_property
    def whole(self) -> Json:
        """The manifest with the files of its lists by name, as far as the lists are here and right."""
        if not any(long_lists(self.value, kind) for kind in KINDS):
            return self.value
        whole = copy.deepcopy(self.value)
        for kind in KINDS:
            for step in whole["results"]["steps"]:
                if isinstance(step.get(kind), dict):
                    step[kind] = self._files(step[kind]) or []
        return whole

    def lost_lists(self) -> list[str]:
        """Lists of files that are not beside the manifest, or not what was recorded."""
        told = [each for kind in KINDS for _, each in long_lists(self.value, kind)]
        return [str(each.get("list")) for each in told if self._files(each) is None]

    def _files(self, told: Json) -> list[Json] | None:
        path = self.folder / str(told.get("list"))
        if not path.resolve().is_relative_to(self.folder.resolve()):
            return None
        try:
            return files_in(path.read_bytes(), told)
        except OSError:
            return None

    def problems(self) -> list[str]:
        """What is wrong with the document itself: its schema, its id, the digests of its parts, its bytes."""
        try:
            check_manifest(self.value)
            canonical = canonical_bytes(self.value) + b"\n"
        except (BadDocument, ValueError) as error:
            return [str(getattr(error, "message", error))]
        return [] if canonical == self.data else ["the bytes are not the canonical ones (RFC 8785) of its content"]


def read_manifest(path: Path) -> Document:
    """Read a manifest from its file, or from the folder of its run.

    Raises:
        BadDocument: there is none, or it is not JSON as every reader takes it.
    """
    path = path / MANIFEST_FILE if path.is_dir() else path
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadDocument(f"larger than {MOST_BYTES} bytes", origin=str(path))
        data = path.read_bytes()
        value = strict_json(data)
    except FileNotFoundError:
        raise BadDocument(
            "there is no such file", origin=str(path), hint="name a manifest.json or its folder"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadDocument(f"not a readable JSON file: {error}", origin=str(path)) from error
    if not isinstance(value, dict) or not isinstance(value.get("identity"), dict):
        raise BadDocument("this is no manifest: it has no `identity`", origin=str(path))
    return Document(path, data, value)


def checked_manifest(path: Path) -> Document:
    """Like ``read_manifest``, and its schema and digests are right.

    Raises:
        BadDocument: they are not.
    """
    document = read_manifest(path)
    problems = document.problems()
    if problems:
        raise BadDocument(problems[0], origin=str(document.path), hint="`mlops-action manifest verify` says more")
    return document


def strict_json(data: bytes) -> Any:
    """JSON as every reader takes it: no key twice, no NaN, and every number a double.

    Canonical JSON writes the double 1e17 as a whole number; as an integer it would be refused when it is written again.

    Raises:
        ValueError: it is not that.
    """
    return json.loads(data, object_pairs_hook=_once, parse_constant=_refuse, parse_int=_number)


def _number(text: str) -> int | float:
    number = int(text) if len(text) < _DIGITS else 0
    return number if 0 < abs(number) < EXACT or text == "0" else float(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are there once: readers disagree about which of two counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")

"""What is declared as data, told apart: files of the project, files in git, objects elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlops_action.frozen import frozen

GIT = "git:"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@frozen
class Declared:
    """The entries of ``manifest.data`` by what they name, each in the order of the declaration."""

    patterns: tuple[str, ...]
    """Files or patterns of the project folder."""
    in_git: tuple[str, ...]
    """``git:REF:PATH``."""
    addresses: tuple[str, ...]
    """``s3://...``, ``https://...``."""


def told_apart(entries: Iterable[str]) -> Declared:
    """Tell the entries apart by how they begin."""
    listed = list(entries)
    addresses = [entry for entry in listed if is_address(entry)]
    in_git = [entry for entry in listed if entry.startswith(GIT) and entry not in addresses]
    patterns = [entry for entry in listed if entry not in addresses and entry not in in_git]
    return Declared(tuple(patterns), tuple(in_git), tuple(addresses))


def is_address(entry: str) -> bool:
    """Whether an entry names an object elsewhere."""
    return _ADDRESS.match(entry) is not None


def hint_for_missing(entry: str) -> str:
    """What to do about an input that is not there."""
    if is_address(entry) or entry.startswith(GIT):
        return "a step's inputs are files of the project; name data from elsewhere under `manifest: data`"
    return "correct the path, or list it under `outputs` of the step that writes it"

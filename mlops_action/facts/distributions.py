"""Installed Python distributions, read from the folders of an interpreter without importing anything."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from mlops_action.facts.urls import bare_url
from mlops_action.frozen import frozen
from mlops_action.records import Json

_HEADERS = re.compile(r"^(Name|Version):[ \t]*(.+?)[ \t\r]*$", re.MULTILINE)
_BLANK = re.compile(r"\r?\n\r?\n")
_WRITTEN_BY_INSTALLER = ("/INSTALLER", "/REQUESTED", "/direct_url.json", "/RECORD", "/uv_cache.json", "/uv_build.json")


@frozen
class Distribution:
    """One installed distribution."""

    name: str
    version: str
    record: str = ""
    """Digest of the files that its wheel holds; empty when the installer left no list of them."""
    url: str = ""
    """Where it was installed from when that was no index (PEP 610)."""
    commit: str = ""
    editable: bool = False

    def identity(self) -> Json:
        """What makes it this one, wherever it is installed."""
        entry = {"name": self.name, "version": self.version, "record": self.record, "commit": self.commit}
        return {key: value for key, value in entry.items() if value} | ({"editable": True} if self.editable else {})

    @property
    def local(self) -> bool:
        """Whether it came from a folder or file of this machine."""
        return self.editable or self.url.startswith("file:")


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions_on(path: Iterable[str]) -> list[Distribution]:
    """The distributions that an interpreter with this ``sys.path`` sees, by name; the first of a name counts."""
    return [seen for _, seen in installed_on(path)]


def installed_on(path: Iterable[str]) -> list[tuple[Path, Distribution]]:
    """Like ``distributions_on``, each with its metadata folder."""
    found: dict[str, tuple[Path, Distribution]] = {}
    for folder in path:
        for entry in _metadata_in(Path(folder)):
            seen = _read(entry)
            if seen is not None:
                found.setdefault(seen.name, (entry, seen))
    return [found[name] for name in sorted(found)]


def _metadata_in(folder: Path) -> list[Path]:
    """Metadata folders; what a broken update left behind starts with ``~``."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  # texts: paths are slow to sort
    except OSError:
        return []
    return [folder / name for name in names if name.endswith((".dist-info", ".egg-info")) and name[0] != "~"]


def _read(entry: Path) -> Distribution | None:
    head = _text(f"{entry}/METADATA") or _text(f"{entry}/PKG-INFO") or _text(str(entry))
    fields = dict(reversed(_HEADERS.findall(_BLANK.split(head, maxsplit=1)[0])))
    if "Name" not in fields or "Version" not in fields:
        return None
    url, commit, editable = _origin(_text(f"{entry}/direct_url.json"))
    record = "" if editable else record_digest(_text(f"{entry}/RECORD"))
    return Distribution(normalised(fields["Name"]), fields["Version"], record, url, commit, editable)


def record_digest(record: str) -> str:
    """Digest of the files of a wheel, from its ``RECORD``: the same after pip, uv and elsewhere.

    Left out is what the installer adds: its own notes, byte code, scripts outside the folder.
    """
    try:
        rows = _quoted_rows(record) if '"' in record else [row.rpartition(",")[0] for row in record.splitlines()]
    except csv.Error:
        return ""
    lines = sorted(row for row in rows if row and ".pyc," not in row and not _added(row))
    if not lines:
        return ""
    text = "\n".join(lines) + "\n"
    return "sha256:" + hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _quoted_rows(record: str) -> list[str]:
    """Path and digest of each row, some of which are quoted, as a path with a comma must be."""
    return [f"{row[0]},{row[1]}" for row in csv.reader(record.splitlines()) if len(row) >= 2]


def _added(row: str) -> bool:
    head = row[:3]
    if head[:1] == "/" or head == "../" or ":" in head:
        return True
    return ".dist-info/" in row and row.rpartition(",")[0].endswith(_WRITTEN_BY_INSTALLER)


def _origin(direct_url: str) -> tuple[str, str, bool]:
    """Address, commit and whether it is editable, from ``direct_url.json``."""
    try:
        value = json.loads(direct_url) if direct_url else {}
        vcs, folder = value.get("vcs_info") or {}, value.get("dir_info") or {}
        return bare_url(str(value.get("url", ""))), str(vcs.get("commit_id", "")), folder.get("editable") is True
    except (ValueError, AttributeError):
        return "unreadable direct_url.json", "", False


def _text(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as handle:  # noqa: PTH123  # path objects cost as much as the reading
            return handle.read().decode("utf-8", "surrogateescape")
    except OSError:
        return ""

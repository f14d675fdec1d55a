"""Files of installed packages that are not what their wheels hold."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlops_action.canonical import Json, sha256_file
from mlops_action.digests import readable
from mlops_action.facts.distributions import installed_on
from mlops_action.facts.interface import Scene
from mlops_action.facts.machine import site_folders
from mlops_action.records import Fact

_BATCH = 256


class EditedFiles:
    """Identity is each file that was edited after its package was installed. Only on request: it reads all."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact."""
        if not scene.spec.package_files:
            return Fact("edited-package-files")
        found = [each for folder in site_folders(scene) for each in _edited(folder)]
        return Fact("edited-package-files", identity=found)


def _edited(folder: Path) -> Iterator[Json]:
    for entry, seen in installed_on([str(folder)]):
        for name in altered_files(entry):
            path = folder / name
            digest = sha256_file(path) if path.is_file() else None
            yield {"package": seen.name, "path": readable(name), "sha256": digest}


def altered_files(entry: Path) -> list[str]:
    """Files of a distribution that differ from its ``RECORD``, or are gone."""
    rows = list(_rows(entry))
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        batches = [rows[i : i + _BATCH] for i in range(0, len(rows), _BATCH)]
        return sorted(name for found in pool.map(lambda batch: _wrong(entry.parent, batch), batches) for name in found)


def _rows(entry: Path) -> Iterator[tuple[str, str, str]]:
    """Path, hash algorithm and digest of each file that the list vouches for."""
    try:
        text = (entry / "RECORD").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    for row in csv.reader(text.splitlines()):
        if len(row) >= 2 and "=" in row[1] and not row[0].startswith(("../", "/")):
            algorithm, _, digest = row[1].partition("=")
            yield row[0], algorithm, digest


def _wrong(folder: Path, rows: list[tuple[str, str, str]]) -> list[str]:
    return [name for name, algorithm, digest in rows if not _is(folder / name, algorithm, digest)]


def _is(path: Path, algorithm: str, digest: str) -> bool:
    try:
        with path.open("rb") as handle:
            found = hashlib.file_digest(handle, algorithm).digest()
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == digest.rstrip("=")

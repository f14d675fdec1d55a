"""Runs in a folder of the project: the default, ``mlops-out/``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mlops_action.config.options import DEFAULT_OUTPUT_DIR
from mlops_action.errors import BadValue
from mlops_action.files import owner_for, sweep_leftovers, write_whole
from mlops_action.redact import Redactor

RUN_FILE = "run.json"
VERDICTS_FILE = "verdicts.json"
MANIFEST_FILE = "manifest.json"
PATCH_FILE = "source.patch"
LIST_FILE = "data.sha256"
STATEMENT_FILE = "manifest.intoto.json"
TESTS_FILE = "test-result.intoto.json"
SIGNATURE_FILE = "manifest.dsse.json"
SUBJECTS_FILE = "subjects.sha256"
REPORT_FILE = "report.md"
JUNIT_FILE = "junit.xml"
HTML_FILE = "report.html"
NOTEBOOKS = "notebooks"
HTML_PAGES = "html"
LISTS = "lists"
PATCHES = "patches"
IMAGES = (".png", ".jpg", ".gif", ".svg")
FOR_MACHINES = ("report.sarif", "codequality.json", "metrics.txt", "verdict.env", "gitlab-annotations.json")
_OURS = (
    RUN_FILE,
    VERDICTS_FILE,
    MANIFEST_FILE,
    REPORT_FILE,
    JUNIT_FILE,
    HTML_FILE,
    *FOR_MACHINES,
    PATCH_FILE,
    LIST_FILE,
    STATEMENT_FILE,
    TESTS_FILE,
    SIGNATURE_FILE,
    SUBJECTS_FILE,
)

_REMOVED = {NOTEBOOKS: (".ipynb",), LISTS: (".sha256",), PATCHES: (".patch",), HTML_PAGES: (".html", ".css", *IMAGES)}
"""Endings of the files below our folders that a run writes, so that the next one removes them."""

OWN_FOLDER = f"name a folder of its own, such as `{DEFAULT_OUTPUT_DIR}`: what an earlier run left there is removed"


def harm_of(root: Path, folder: Path, used: Iterable[str] = ()) -> str:
    """What keeping results in ``folder`` would destroy, in words; empty when nothing.

    Args:
        root: the project folder.
        folder: where results would be kept.
        used: files of the project that a run reads.
    """
    where = folder.resolve()
    if root.resolve().is_relative_to(where):
        return "it holds the project itself"
    removed = tuple(where / name for name in _REMOVED)
    lost = (path for path in used if any((root / path).resolve().is_relative_to(each) for each in removed))
    return next((f"it holds `{path}`, which a run would remove" for path in lost), "")


def _remove(folder: Path, endings: tuple[str, ...]) -> None:
    """Remove files with one of these endings, and the folders that they leave empty."""
    if folder.is_symlink():
        return
    for where, _, names in os.walk(folder, topdown=False):
        with suppress(OSError):
            for name in names:
                if name.endswith(endings):
                    (Path(where) / name).unlink()
            Path(where).rmdir()


class FolderStore:
    """Files of the latest run in one folder."""

    def __init__(self, root: Path, name: str, redactor: Redactor) -> None:
        """Keep files in ``name`` below ``root``; it is made when the first one is written."""
        self.root = root
        self.folder = root / name
        self.redactor = redactor
        self.owner = owner_for(root)

    def begin(self) -> None:
        """Remove our own files of the run before; anything else in the folder is left alone.

        Raises:
            BadValue: the folder holds the project itself.
        """
        harm = harm_of(self.root, self.folder)
        if harm:
            raise BadValue(f"results cannot be kept in {self.folder}: {harm}", hint=OWN_FOLDER)
        sweep_leftovers(self.folder)
        for name in _OURS:
            with suppress(OSError):
                (self.folder / name).unlink()
        for name, endings in _REMOVED.items():
            _remove(self.folder / name, endings)

    def write(self, name: str, data: bytes) -> str:
        """Keep ``data`` under ``name``; its path is returned.

        Raises:
            WriteFailed: no space or no permission.
            SecretFound: the bytes hold a secret value.
        """
        path = self.folder / name
        self.redactor.refuse(data, str(path))
        return self._keep(path, data)

    def _keep(self, path: Path, data: bytes) -> str:
        write_whole(path, data, self.owner)
        return str(path)

    def write_text(self, name: str, text: str) -> str:
        """Keep ``text`` under ``name`` with secret values masked; its path is returned.

        Raises:
            WriteFailed: no space or no permission.
        """
        masked = self.redactor.text(text)
        data = masked.encode("utf-8", errors="replace")
        if masked != text:
            return self.write(name, data)
        return self._keep(self.folder / name, data)  # what ``refuse`` looks for was just looked for

"""What an environment is built from: a list of requirements or a file, and everything that the file draws in."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlops_action.canonical import Json, sha256_bytes
from mlops_action.errors import BadValue, FileMissing
from mlops_action.frozen import frozen

UV_LOCK = "uv.lock"
_FILE_ENDINGS = (".txt", ".in", ".toml", ".lock")
_COMMENT = re.compile(r"(^|\s)#.*$")
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s+|=)?(?P<file>\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(?P<path>\S+)")
_PATH = re.compile(r"(?:[^\s;]*\s*@\s*)?(?:file:(?://)?)?(?P<path>(?:\.{0,2}/|\.$|\.\[)[^\s;]*)")
_NAME_END = re.compile(r"[\s;\[]")
_PATH_IN_LOCK = re.compile(r'\b(?P<kind>path|directory|editable)\s*=\s*"(?P<path>[^"]+)"')
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_NO_SOURCE = {"__pycache__", "build", "dist", "node_modules", "mlops-out"}
MOST_FILES = 5000
"""Of a folder that is installed as it is; all of them are read for each run."""


class Kind(StrEnum):
    """How packages are named."""

    LIST = "list"
    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"
    UV_LOCK = "uv-lock"
    PROJECT = "project"


@frozen
class Source:
    """The packages of one environment, as they are named."""

    kind: Kind
    told: Json
    """The file as it is named, or the list."""
    digest: str
    """Of all that was read, the same on every machine."""
    folder: Path
    """Where the builder runs: what relative paths are relative to."""
    items: tuple[str, ...] = ()
    """Requirements, for a list or a project without a lock."""
    file: Path = Path()
    places: tuple[str, ...] = ()
    """Absolute paths of folders and files of this machine that are installed."""

    @property
    def label(self) -> str:
        """Name for people."""
        if isinstance(self.told, str):
            return self.told
        return ", ".join(self.told[:3]) + (f" and {len(self.told) - 3} more" if len(self.told) > 3 else "")


def read_source(packages: Sequence[str], root: Path) -> Source:
    """The source that ``environment: packages:`` names.

    Raises:
        FileMissing: a file is not there.
        BadValue: it is neither a list of requirements nor a file that packages are read from.
    """
    if len(packages) == 1 and (packages[0].endswith(_FILE_ENDINGS) or (root / packages[0]).is_file()):
        return _from_file(packages[0], root)
    for each in packages:
        if each.startswith("-") or (each.endswith(_FILE_ENDINGS) and "@" not in each):
            raise BadValue(
                f"`{each}` is no requirement",
                hint="name one file, which may draw in others with `-r FILE`, or list requirements without options",
            )
    reading = _Reading(root)
    for each in packages:
        reading.line(each, root)
    digest = reading.digest(["list", *packages])
    return Source(Kind.LIST, list(packages), digest, root, tuple(packages), places=tuple(reading.places))


def _from_file(name: str, root: Path) -> Source:
    path = root / name
    reading = _Reading(path.parent)
    if path.name == "pyproject.toml" and (path.parent / UV_LOCK).is_file():
        path = path.parent / UV_LOCK
    if path.name == "pyproject.toml":
        return _from_project(name, path, reading)
    text = reading.text(path, name)
    if path.name == UV_LOCK:
        reading.parts.append(_project_part(reading.table(path.with_name("pyproject.toml"))))
        kind = Kind.UV_LOCK
    elif path.suffix == ".toml":
        if not re.fullmatch(r"pylock(\..+)?\.toml", path.name):
            hint = "a lock is named pylock.toml or pylock.NAME.toml"
            raise BadValue(f"packages are not read from `{name}`", hint=hint)
        kind = Kind.PYLOCK
    elif path.suffix == ".lock" and text.lstrip().startswith(("version =", "# This file is @generated")):
        raise BadValue(f"packages are not read from `{name}`", hint="export it to a pylock.toml")
    else:
        reading.requirements(text, path)
        kind = Kind.REQUIREMENTS
    if kind is not Kind.REQUIREMENTS:
        for found in _PATH_IN_LOCK.finditer(text):
            if found["path"] != ".":
                reading.place(found["path"], path.parent, editable=found["kind"] == "editable")
    digest = reading.digest([str(kind)])
    return Source(kind, name, digest, path.parent, file=path, places=tuple(reading.places))


def _from_project(name: str, path: Path, reading: _Reading) -> Source:
    """The dependencies of a project that has no lock; the project itself is not installed."""
    table = reading.table(path)
    project = table.get("project", {})
    if "dependencies" not in project:
        dynamic = "dependencies" in project.get("dynamic", ())
        raise BadValue(
            f"`{name}` lists no `dependencies` under `[project]`" + (": they are dynamic" if dynamic else ""),
            hint="name the file that they are in" if dynamic else "list them, or name a requirements file",
        )
    reading.parts.append(_project_part(table))
    for each in project["dependencies"]:
        reading.line(str(each), path.parent)
    for each in table.get("tool", {}).get("uv", {}).get("sources", {}).values():
        if isinstance(each, dict) and "path" in each:
            reading.place(str(each["path"]), path.parent, editable=bool(each.get("editable")))
    items = tuple(map(str, project["dependencies"]))
    return Source(Kind.PROJECT, name, reading.digest(["project"]), path.parent, items, path, tuple(reading.places))


def _project_part(table: dict[str, Any]) -> Json:
    """What of a ``pyproject.toml`` decides which packages are installed."""
    project, tool = table.get("project", {}), table.get("tool", {})
    keys = ("dependencies", "optional-dependencies", "requires-python")
    part = [{key: project.get(key) for key in keys}, table.get("dependency-groups"), tool.get("uv")]
    return json.loads(json.dumps(part, default=str))


class _Reading:
    """Collects what the digest is made of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: list[Json] = []
        self.places: list[str] = []
        self._seen: set[Path] = set()

    def digest(self, kind: list[str]) -> str:
        return "sha256:" + sha256_bytes(json.dumps([kind, self.parts], sort_keys=True).encode())

    def text(self, path: Path, name: str) -> str:
        """Read a file whose content counts as a whole."""
        try:
            data = path.read_bytes().replace(b"\r\n", b"\n")
        except OSError as error:
            said = f"the packages file `{name}` cannot be read: {error.strerror}"
            raise FileMissing(said, hint="correct the path; it is relative to mlops.yaml") from error
        self._seen.add(path.resolve())
        self.parts.append([os.path.relpath(path, self.folder), sha256_bytes(data)])
        return data.decode(errors="replace")

    def table(self, path: Path) -> dict[str, Any]:
        """Read a TOML file of which only parts count."""
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            said = f"`{path.name}` cannot be read: {error}"
            raise FileMissing(said, hint="it must be there, and be TOML") from error

    def requirements(self, text: str, path: Path) -> None:
        """Go through a requirements file and those that it includes."""
        for raw in text.replace("\\\n", " ").split("\n"):
            line = _COMMENT.sub("", raw).strip()
            included = _INCLUDE.fullmatch(line)
            if included is None:
                self.line(line, self.folder)
            elif "://" not in included["file"]:
                other = path.parent / included["file"]
                if other.resolve() not in self._seen:
                    self.requirements(self.text(other, included["file"]), other)

    def line(self, line: str, base: Path) -> None:
        """One requirement; only those that lie on this machine count besides their text."""
        editable, local = _EDITABLE.match(line), _PATH.match(line)
        if editable and "://" not in editable["path"]:
            self.place(editable["path"], base, editable=True)
        elif local:
            self.place(local["path"], base, editable=False)
        elif line and os.path.lexists(base / (name := _NAME_END.split(line, maxsplit=1)[0])) and _is_path(name):
            self.place(name, base, editable=False)

    def place(self, name: str, base: Path, *, editable: bool) -> None:
        """A folder or file of this machine: its content counts, and, in the key alone, where it is."""
        path = base / name.partition("[")[0]
        self.places.append(os.path.abspath(path))  # noqa: PTH100  # a link stays what it is
        files = [path / each for each in _PROJECT_FILES] if editable else list(_files_of(path))
        digests = [[os.path.relpath(each, path), sha256_bytes(each.read_bytes())] for each in files if each.is_file()]
        self.parts.append([name, digests])


def _is_path(name: str) -> bool:
    """Whether an installer takes it for a path when there is one, and not for the name of a package."""
    return "/" in name or name.endswith((".whl", ".zip", ".tar.gz"))


def _is_made(folder: str) -> bool:
    """Whether a folder of that name holds what tools leave, building a package among them."""
    return folder.startswith(".") or folder in _NO_SOURCE or folder.endswith(".egg-info")


def _files_of(path: Path) -> Iterator[Path]:
    """The file itself, or what a folder holds that a package may be built from."""
    if not path.is_dir():
        yield path
        return
    count = 0
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(each for each in folders if not _is_made(each))
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                said = f"`{path.name}` holds more than {MOST_FILES} files, too many to know whether it changed"
                raise BadValue(said, hint=f"install it in place (`-e {path.name}`), or as a wheel")
            yield Path(folder) / name

"""Installed packages against the manifest: each distribution, and each of its files by the list of its wheel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.facts.distributions import Distribution, installed_on
from mlops_action.facts.package_files import altered_files
from mlops_action.facts.r_packages import packages_in
from mlops_action.manifests.findings import Finding, Is
from mlops_action.manifests.read import Document

KIND = "package"
R_KIND = "R package"
_FOLDERS = ("lib/python*/site-packages", "lib64/python*/site-packages", "Lib/site-packages")


def check_packages(document: Document, root: Path, env: Mapping[str, str]) -> Iterator[Finding]:
    """The packages of each interpreter of the run, when it is on this machine. Nothing of it is executed."""
    del env
    interpreters = document.part("identity", "python") or ()
    for interpreter, place in zip_longest(interpreters, document.part("locator", "python") or ()):
        if interpreter is None:
            continue
        names = ", ".join(f"`{name}`" for name in interpreter.get("kernels", ()))
        path = folders_of(place or {}, root)
        if not path:
            yield Finding(KIND, f"packages of kernel {names}", Is.UNCHECKED, "its interpreter is not on this machine")
            continue
        yield from check_folders(interpreter["distributions"], path)


def folders_of(place: Json, root: Path) -> list[str]:
    """The folders of an interpreter that are here: as it said itself, else beside its program."""
    said = [folder for folder in place.get("path", ()) if isinstance(folder, str) and Path(folder).is_dir()]
    if said or not place.get("executable"):
        return said
    prefix = (root / place["executable"]).parent.parent
    return [str(folder) for pattern in _FOLDERS for folder in sorted(prefix.glob(pattern))]


def check_folders(recorded: Sequence[Json], path: list[str]) -> Iterator[Finding]:
    """The distributions in these folders against the recorded ones."""
    here = {seen.name: (entry, seen) for entry, seen in installed_on(path)}
    for each in recorded:
        name = each["name"]
        if name not in here:
            yield Finding(KIND, name, Is.MISSING, f"version {each.get('version', '')} was installed")
            continue
        entry, seen = here[name]
        yield _compared(each, seen)
        for file in altered_files(entry):
            yield Finding("package file", file, Is.ALTERED, f"not what the wheel of {name} holds")
    known = {each["name"] for each in recorded}
    for name in sorted(here.keys() - known):
        yield Finding(KIND, name, Is.EXTRA, f"version {here[name][1].version}")


def _compared(recorded: Json, seen: Distribution) -> Finding:
    name, version = recorded["name"], recorded.get("version", "")
    if seen.version != version:
        return Finding(KIND, name, Is.ALTERED, f"version {seen.version}, recorded {version}")
    wanted = recorded.get("record", "")
    if seen.record != wanted:
        return Finding(KIND, name, Is.ALTERED, f"another build of version {version}")
    if seen.commit != recorded.get("commit", ""):
        return Finding(KIND, name, Is.ALTERED, f"commit {seen.commit}, recorded {recorded.get('commit', '')}")
    return Finding(KIND, name, Is.RIGHT, "" if wanted else "by version only: it has no list of files")


def check_r_packages(document: Document) -> Iterator[Finding]:
    """The packages of each R of the run, when its libraries are on this machine. R is not started."""
    for recorded, place in zip_longest(document.part("identity", "r") or (), document.part("locator", "r") or ()):
        libraries = [each for each in (place or {}).get("libraries", ()) if Path(each).is_dir()]
        if recorded is None:
            continue
        if not libraries:
            names = ", ".join(f"`{name}`" for name in recorded["kernels"])
            yield Finding(R_KIND, f"packages of kernel {names}", Is.UNCHECKED, "its libraries are not on this machine")
            continue
        yield from r_differences(recorded["packages"], packages_in(libraries))


def r_differences(recorded: Sequence[Json], here: Sequence[Json]) -> Iterator[Finding]:
    """R's packages against the recorded ones."""
    wanted, found = ({each["name"]: each for each in side} for side in (recorded, here))
    for name in sorted(wanted.keys() | found.keys()):
        old, new = wanted.get(name), found.get(name)
        if old == new:
            yield Finding(R_KIND, name, Is.RIGHT, "by version and source")
        elif old is None or new is None:
            state = Is.EXTRA if old is None else Is.MISSING
            yield Finding(R_KIND, name, state, f"version {(old or new or {}).get('version', '')}")
        else:
            yield Finding(R_KIND, name, Is.ALTERED, f"{_r_words(new)}, recorded {_r_words(old)}")


def _r_words(package: Json) -> str:
    return " ".join(str(package[key]) for key in ("version", "built", "source") if package.get(key))

"""A manifest against what is here: which file is missing, altered or extra. Nothing is taken from a cache."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import sha256_bytes
from mlops_action.digests import relative_name, search, state_of
from mlops_action.errors import GitRefused
from mlops_action.formats.recorded import (
    CODE,
    DATA,
    Recorded,
    elsewhere_of,
    executed_notebooks,
    last_states,
    patterns_of,
)
from mlops_action.frozen import frozen
from mlops_action.manifests.code import check_code
from mlops_action.manifests.findings import Finding, Is
from mlops_action.manifests.packages import check_packages, check_r_packages
from mlops_action.manifests.read import Document
from mlops_action.manifests.signing import check_signature
from mlops_action.repository import Repository
from mlops_action.stores.folder import LIST_FILE, SIGNATURE_FILE


@frozen
class Place:
    """Where the things are that a manifest speaks of."""

    root: Path
    """The project folder."""
    repository: Repository
    key: Path | None = None
    """Public key that the signature must be of."""
    packages: bool = True
    """Whether the files of the installed packages are looked at."""


def verify(document: Document, place: Place) -> list[Finding]:
    """Everything that was checked, in the order of the manifest. Offline."""
    wrong = document.problems()
    found = [Finding("manifest", "manifest.json", Is.ALTERED, why) for why in wrong]
    if wrong:
        return found
    found.append(Finding("manifest", "manifest.json", Is.RIGHT, "schema, id and the digest of each part"))
    found += _signature(document, place)
    code = list(check_code(document, place.repository))
    by_git = any(each.state is not Is.UNCHECKED for each in code)
    found += code
    found += _files(document, place.root, with_code=not by_git)
    found += _executed(document)
    found += _elsewhere(document, place.repository)
    if place.packages:
        found += check_packages(document, place.root, place.repository.env)
        found += check_r_packages(document)
    return found


def _signature(document: Document, place: Place) -> Iterator[Finding]:
    path = document.folder / SIGNATURE_FILE
    if place.key is not None:
        yield check_signature(document, path, place.key)
    elif path.is_file():
        yield Finding("signature", SIGNATURE_FILE, Is.UNCHECKED, "name the public key with `--key`")


def _files(document: Document, root: Path, *, with_code: bool) -> Iterator[Finding]:
    listed = document.listed_data()
    recorded = [each for each in _recorded(document, listed or []) if with_code or each.kind != CODE]
    by_path = {relative_name(root, path): path for path in _present(root, recorded)}
    yield from (check_file(root, each, by_path.get(each.path)) for each in recorded)
    for name in document.lost_lists():
        yield Finding("list of files", name, Is.ALTERED, "it is missing or not what was recorded")
    if listed is None:
        yield Finding("data", LIST_FILE, Is.ALTERED, "the list of the data files is missing or not what was recorded")
        return
    yield from _extra(document, root, {each.path for each in recorded})


def _recorded(document: Document, listed: list[Recorded]) -> list[Recorded]:
    """Each file once; what a step did to a listed data file counts."""
    seen = last_states(document.whole)
    own = {each.path for each in seen}
    return [*seen, *(each for each in listed if each.path not in own)]


def _extra(document: Document, root: Path, known: set[str]) -> Iterator[Finding]:
    """Files that fit what is declared, and that the run did not see."""
    for kind, patterns in patterns_of(document.value).items():
        names = {relative_name(root, path) for path in search(root, patterns).files}
        for name in sorted(names - known):
            known.add(name)
            yield Finding(kind, name, Is.EXTRA, "it fits what is declared, and the run did not see it")


def check_file(root: Path, recorded: Recorded, path: Path | None) -> Finding:
    """One file against its record."""
    kind, name = recorded.kind, recorded.path
    if path is None:
        return Finding(kind, name, Is.MISSING, f"it had the SHA-256 {recorded.sha256}")
    try:
        found = state_of(root, path)
    except OSError as error:
        return Finding(kind, name, Is.MISSING, f"it cannot be read: {error.strerror or error}")
    if found.sha256 == recorded.sha256:
        return Finding(kind, name, Is.RIGHT)
    return Finding(kind, name, Is.ALTERED, f"SHA-256 {found.sha256}, recorded {recorded.sha256}")


def _present(root: Path, recorded: list[Recorded]) -> Iterator[Path]:
    """The paths behind recorded names, odd ones included; links that lead out of the project are not followed."""
    real = root.resolve()
    for each in recorded:
        path = root / plain_path(each.path)
        if path.is_file() and path.resolve().is_relative_to(real):
            yield path


def _elsewhere(document: Document, repository: Repository) -> Iterator[Finding]:
    """Files of other commits, by their content; objects of stores are out of reach of a check that is offline."""
    for each in elsewhere_of(document.value):
        if "gitBlob" not in each.digest:
            yield Finding(DATA, each.name, Is.UNCHECKED, "it is not on this machine; `manifest reproduce` looks at it")
            continue
        try:
            found = sha256_bytes(repository.bytes_of("cat-file", "blob", each.digest["gitBlob"]))
        except GitRefused:
            yield Finding(DATA, each.name, Is.MISSING, f"blob {each.digest['gitBlob']} is not in this clone")
            continue
        why = "" if found == each.digest["sha256"] else f"SHA-256 {found}, recorded {each.digest['sha256']}"
        yield Finding(DATA, each.name, Is.ALTERED if why else Is.RIGHT, why)


def plain_path(name: str) -> str:
    """The path that ``digests.relative_name`` wrote as ``name``."""
    if "\\" not in name:
        return name

    def back(found: re.Match[str]) -> str:
        return "\\" if found.group() == "\\\\" else os.fsdecode(bytes([int(found.group(1), 16)]))

    return re.sub(r"\\\\|\\x([0-9a-f]{2})", back, name)


def _executed(document: Document) -> Iterator[Finding]:
    for each in executed_notebooks(document.value):
        path = document.folder / each.path
        inside = path.resolve().is_relative_to(document.folder.resolve())
        yield check_file(document.folder, each, path if inside and path.is_file() else None)

"""Data that is not in the project folder: asked for again at its place, and compared by digest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from mlops_action.canonical import Json, sha256_bytes
from mlops_action.errors import DataUnavailable, GitRefused
from mlops_action.formats.recorded import part
from mlops_action.manifests.reproduce.levels import Check, Level
from mlops_action.manifests.reproduce.workplace import Workplace
from mlops_action.repository import Repository


def elsewhere(place: Workplace) -> Iterator[Check]:
    """Whether each object and each file of another commit is still what the run read."""
    for each, where in _paired(place, "git-data"):
        why = _git_blob(place, each, str(where.get("commit", "")))
        yield Check(Level.PINNED, f"the data `{where.get('declared', each['path'])}` is the recorded one", not why, why)
    for each, where in _paired(place, "remote-data"):
        place.say(f"reading {each['uri']}")
        why = _object(each, where)
        yield Check(Level.PINNED, f"the data `{each['uri']}` is the recorded one", not why, why)


def _paired(place: Workplace, fact: str) -> Iterator[tuple[Json, Json]]:
    value = place.document.value
    listed = part(value, "identity", fact) or ()
    return zip_longest(listed, (part(value, "locator", fact) or ())[: len(listed)], fillvalue={})


def _git_blob(place: Workplace, each: Json, commit: str) -> str:
    """Why a file of another commit cannot be had; empty when it is there and right."""
    repository = Repository(place.project, place.variables)
    for attempt in (False, True):
        try:
            found = sha256_bytes(repository.bytes_of("cat-file", "blob", each["gitBlob"]))
        except GitRefused as error:
            if attempt or not commit:
                return error.message
            place.run(["git", "fetch", "--quiet", "--depth=1", "origin", commit], place.clone)
            continue
        return "" if found == each["sha256"] else f"SHA-256 {found}, recorded {each['sha256']}"
    return "it is not in the repository"


def _object(each: Json, where: Json) -> str:
    """Why an object is not the recorded one; empty when it is. What was not read is compared by version and tag."""
    from mlops_action.facts.remote_objects import object_at

    version = str(where.get("version-id") or "")
    try:
        found = object_at(each["uri"], version)
        if each.get("sha256"):
            digest = found.digests()[0]
            return "" if digest == each["sha256"] else f"SHA-256 {digest}, recorded {each['sha256']}"
    except DataUnavailable as error:
        return error.message
    known = {"size": found.size, "version-id": found.version, "etag": found.etag}
    wrong = [f"{key} {known[key]}, recorded {each[key]}" for key in known if key in each and each[key] != known[key]]
    return "; ".join(wrong)

"""Data in object stores and on the web: where it is, which version, and its digest."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_action.canonical import Json
from mlops_action.config.values import size_text
from mlops_action.digests import readable
from mlops_action.errors import DataUnavailable
from mlops_action.facts.interface import Scene
from mlops_action.facts.places import told_apart
from mlops_action.facts.remote_objects import RemoteObject, described, objects_of
from mlops_action.facts.urls import bare_url
from mlops_action.records import Fact, Uncaptured


class RemoteData:
    """Identity is address, size and SHA-256 of each object; of one that is not read, version and entity tag.

    An entity tag is no checksum: it depends on how an object was uploaded and encrypted. It is
    a locator, with what is known of its kind.
    """

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact; objects stand in the order of the declaration."""
        identity: list[Json] = []
        locator: list[Json] = []
        gaps: list[Uncaptured] = []
        for declared in told_apart(scene.spec.data).addresses:
            what = f"data `{readable(bare_url(declared))}`"
            if bare_url(declared) != declared:
                gaps.append(Uncaptured(f"user and query in the address of {what}", "they may hold secrets"))
            try:
                for found in objects_of(declared):
                    entry, place, missing = _recorded(found, scene.spec.remote_size)
                    identity.append(entry)
                    locator.append(place)
                    gaps += missing
            except DataUnavailable as error:
                gaps.append(Uncaptured(what, error.message))
        return Fact("remote-data", identity=identity or None, locator=locator or None, uncaptured=tuple(gaps))


def _recorded(found: RemoteObject, most: int) -> tuple[Json, Json, list[Uncaptured]]:
    uri = readable(found.uri)
    if found.size is None or found.size <= most:
        sha256, md5 = found.digests()
        return _known({"uri": uri, "sha256": sha256, "size": found.size}), described(found, md5), []
    place = described(found)
    entry = _known({"uri": uri, "size": found.size, "version-id": found.version, "etag": found.etag})
    why = f"it has {size_text(found.size)}, and objects up to {size_text(most)} are read (`manifest: remote-size`)"
    return entry, place, [Uncaptured(f"content of data `{uri}`", why)]


def _known(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if value not in {None, ""}}


def marks(entries: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What changes when an object does, for each object that can be had now."""
    for declared in entries:
        try:
            yield from ((found.uri, found.mark) for found in objects_of(declared))
        except DataUnavailable:  # the fact says why
            continue

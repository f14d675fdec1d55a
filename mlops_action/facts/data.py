"""Data that the manifest is told to record, by digest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_action.canonical import Json
from mlops_action.codec import encode
from mlops_action.digests import Found, readable, search
from mlops_action.dirhash import hash_of_lines, lines_of
from mlops_action.errors import EnvironmentProblem
from mlops_action.facts.interface import Scene
from mlops_action.facts.places import told_apart
from mlops_action.facts.pointers import pointer_at, pointer_for
from mlops_action.hashing import StatCache, states_of
from mlops_action.records import Fact, FileState, Uncaptured
from mlops_action.stores.cache import DEFAULT_FOLDER, FOLDER_VARIABLE
from mlops_action.stores.folder import LIST_FILE

MOST_LISTED = 1000
"""More files are one digest in the manifest, and a list beside it."""


class DeclaredData:
    """The files of ``manifest.data``. What is declared and cannot be read is said, never left out."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact; files are in the order of their paths."""
        patterns = told_apart(scene.spec.data).patterns
        if not patterns:
            return Fact("data")
        found = search(scene.root, patterns)
        cache = _cache(scene) if scene.spec.stat_cache else None
        states = states_of(scene.root, found.names, cache)
        if cache is not None:
            cache.write()
        seen = [state for state in states if isinstance(state, FileState)]
        identity, listed = _identity(scene, seen)
        locator = {"patterns": list(patterns)} | listed
        pointers = dict(_pointers(scene, found, states))
        locator |= {"pointers": pointers} if pointers else {}
        return Fact("data", identity=identity, locator=locator, uncaptured=tuple(_gaps(found, states, pointers)))


def _cache(scene: Scene) -> StatCache:
    folder = scene.context.env.get(FOLDER_VARIABLE) or DEFAULT_FOLDER
    return StatCache(scene.root / folder / "stat.json")


def _identity(scene: Scene, seen: Sequence[FileState]) -> tuple[Json, Json]:
    """The files one by one; many of them as one digest, with a list of its own."""
    if len(seen) > MOST_LISTED and scene.keep is not None:
        pairs = [(state.path, state.sha256) for state in seen]
        try:
            digest, data = hash_of_lines(pairs), lines_of(pairs)
        except EnvironmentProblem:  # a name that the list cannot hold
            return encode(list(seen)), {}
        scene.keep(LIST_FILE, data)
        total = sum(state.size for state in seen)
        return {"dirHash": digest, "files": len(seen), "size": total}, {"list": LIST_FILE}
    return encode(list(seen)), {}


def _pointers(scene: Scene, found: Found, states: Sequence[FileState | OSError]) -> Iterator[tuple[str, Json]]:
    for name, state in zip(found.names, states, strict=True):
        if isinstance(state, FileState) and (name.endswith(".dvc") or state.size < 1024):
            pointer = pointer_at(scene.root / name)
            if pointer is not None:
                yield state.path, pointer
    for pattern in found.unmatched:
        pointer = pointer_for(scene.root / pattern.rstrip("/"))
        if pointer is not None:
            yield pattern, pointer


def _gaps(found: Found, states: Sequence[FileState | OSError], pointers: dict[str, Json]) -> Iterator[Uncaptured]:
    for pattern in found.unmatched:
        why = "only its DVC pointer is here; what it promises is recorded" if pattern in pointers else "no file matches"
        yield Uncaptured(f"data `{pattern}`", why)
    for item in (*found.refused, *found.skipped):
        yield Uncaptured(f"data `{item.what}`", f"it {item.why}")
    for name, state in zip(found.names, states, strict=True):
        if isinstance(state, OSError):
            yield Uncaptured(f"data `{readable(name)}`", f"it cannot be read: {state.strerror or state}")
    for name, pointer in pointers.items():
        if pointer["kind"] == "lfs":
            yield Uncaptured(f"content of data `{name}`", "it is a Git LFS pointer; what it promises is recorded")

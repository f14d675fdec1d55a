"""Which files a manifest speaks of, and in what state its run left them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from mlops_action.canonical import Json
from mlops_action.frozen import frozen

DATA, INPUT, OUTPUT, CODE, NOTEBOOK = "data", "input", "output", "code", "executed notebook"


@frozen
class Recorded:
    """One file as the manifest knows it."""

    kind: str
    path: str
    """As ``digests.relative_name`` writes it, relative to the project folder."""
    sha256: str
    size: int | None = None
    step: str = ""


@frozen
class Elsewhere:
    """Data that is not in the project folder: an object of a store, or a file of another commit."""

    name: str
    uri: str
    """Where it can be had; empty when nobody knows."""
    digest: dict[str, str]
    """Hex digests by their in-toto names; none of an object that was not read."""
    size: int | None = None
    version: str = ""

    def told(self) -> str:
        """What tells it from another state of itself: its digest, else its version."""
        return self.digest.get("sha256") or self.version or "unknown"


def part(manifest: Json, *keys: str) -> Json:
    """What is at a place of a manifest; an empty mapping when there is nothing."""
    value = manifest
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return {} if value is None else value


def last_states(manifest: Json) -> list[Recorded]:
    """Each file once, as it was at the end of the run: what a later step wrote counts."""
    found: dict[str, Recorded] = {}
    for state in data_of(manifest):
        found[state["path"]] = _recorded(DATA, state)
    for step in steps_of(manifest):
        for state in files_of(step, "inputs"):
            found.setdefault(state["path"], _recorded(INPUT, state, step["name"]))
        for state in files_of(step, "outputs-after"):
            found[state["path"]] = _recorded(OUTPUT, state, step["name"])
        source = step.get("source")
        if source:
            found.setdefault(source["path"], _recorded(CODE, source, step["name"]))
    return [each for _, each in sorted(found.items()) if each.sha256]


def data_of(manifest: Json) -> list[Json]:
    """The declared data files; a manifest of many files names them in a list of its own."""
    data = part(manifest, "identity", "data")
    return data if isinstance(data, list) else []


def many_data(manifest: Json) -> Json:
    """Digest, count and size of the declared data files where they are too many to be named, or nothing."""
    data = part(manifest, "identity", "data")
    return data if isinstance(data, dict) else {}


def elsewhere_of(manifest: Json) -> list[Elsewhere]:
    """The declared data that is not in the project folder."""
    remote = part(manifest, "locator", "source").get("remote")
    found = []
    for each, place in _paired(manifest, "git-data"):
        uri = f"git+{remote}@{place.get('commit', '')}#{each['path']}" if remote else ""
        digest = {"sha256": each["sha256"], "gitBlob": each["gitBlob"]}
        name = f"git:{place['commit']}:{each['path']}" if place.get("commit") else str(each["path"])
        found.append(Elsewhere(name, uri, digest, each.get("size")))
    for each, _ in _paired(manifest, "remote-data"):
        digest = {"sha256": each["sha256"]} if each.get("sha256") else {}
        version = str(each.get("version-id") or each.get("etag") or "")
        found.append(Elsewhere(each["uri"], each["uri"], digest, each.get("size"), version))
    return found


def _paired(manifest: Json, fact: str) -> Iterator[tuple[Json, Json]]:
    places = part(manifest, "locator", fact) or ()
    return zip_longest(part(manifest, "identity", fact) or (), places, fillvalue={})


def outputs_of(manifest: Json) -> list[Recorded]:
    """The files that the run wrote, as it left them."""
    return [each for each in last_states(manifest) if each.kind == OUTPUT]


def inputs_of(manifest: Json) -> list[Recorded]:
    """The files that the run read and did not write."""
    return [each for each in last_states(manifest) if each.kind in {DATA, INPUT}]


def long_lists(manifest: Json, kind: str = "outputs-after") -> list[tuple[str, Json]]:
    """Steps whose files of a kind are too many to be named, with their digest, number, size and list."""
    return [(step["name"], step[kind]) for step in steps_of(manifest) if isinstance(step.get(kind), dict)]


def executed_notebooks(manifest: Json) -> list[Recorded]:
    """The executed notebooks; their paths are relative to the output folder."""
    return [
        Recorded(NOTEBOOK, step["executed"], step["executed-sha256"], step=step["name"])
        for step in steps_of(manifest)
        if step.get("executed") and step.get("executed-sha256")
    ]


def steps_of(manifest: Json) -> list[Json]:
    """What became of each step, in the order of the run."""
    return [step for step in part(manifest, "results", "steps") or () if isinstance(step, dict)]


def patterns_of(manifest: Json) -> dict[str, list[str]]:
    """Patterns of data, inputs and outputs that the configuration declares, by the kind of file."""
    locator = part(manifest, "locator")

    def joined(kind: str) -> list[str]:
        return sorted({pattern for patterns in (locator.get(kind) or {}).values() for pattern in patterns})

    data = list((locator.get("data") or {}).get("patterns") or ())
    return {DATA: data, INPUT: joined("inputs"), OUTPUT: joined("outputs")}


def _recorded(kind: str, state: Json, step: str = "") -> Recorded:
    return Recorded(kind, state["path"], state.get("sha256", ""), state.get("size"), step)


def files_of(step: Json, key: str) -> Iterator[Json]:
    """The files of a step by name: none where they are so many that the manifest only has their digest."""
    listed = step.get(key) or ()
    yield from listed if isinstance(listed, list) else ()  # many files are a digest, with a list beside the manifest

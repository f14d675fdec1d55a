"""Long lists of a step's files: one digest in the manifest, and the list beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from mlops_action.canonical import Json, sha256_bytes
from mlops_action.codec import encode
from mlops_action.dirhash import hash_of_lines, lines_of
from mlops_action.errors import EnvironmentProblem
from mlops_action.records import FileState, RunResult

MOST_LISTED = 1000
"""More files of one kind are one digest: stores of attestations take 16 MB."""
FOLDER = "lists"
KINDS = ("inputs", "outputs-before", "outputs-after")


def states_or_digest(states: Sequence[FileState], step: str, kind: str) -> Json:
    """The files one by one, or their digest, number and size with the name of the list beside the manifest."""
    if not _is_long(states):
        return encode(list(states))
    pairs = [(state.path, state.sha256) for state in states]
    try:
        digest = hash_of_lines(pairs)
    except EnvironmentProblem:  # a name that the list cannot hold
        return encode(list(states))
    return {
        "dirHash": digest,
        "files": len(pairs),
        "size": sum(state.size for state in states),
        "list": f"{FOLDER}/{step}.{kind}.sha256",
    }


def inputs_or_digest(inputs: Sequence[Json]) -> list[Json]:
    """A step's inputs for the identity: those from outside as one digest when they are many, as are those of a step."""
    outside = [(each["path"], each["sha256"]) for each in inputs if "sha256" in each]
    earlier: dict[str, list[Json]] = {}
    for each in inputs:
        if "from" in each:
            earlier.setdefault(each["from"], []).append(each)
    found = [each for each in inputs if "sha256" in each]
    if len(outside) > MOST_LISTED:
        try:
            found = [{"dirHash": hash_of_lines(outside), "files": len(outside)}]
        except EnvironmentProblem:
            found = list(found)
    for step, listed in earlier.items():
        found += [{"from": step, "files": len(listed)}] if len(listed) > MOST_LISTED else listed
    return found


def lists_of(run: RunResult) -> Iterator[tuple[str, bytes]]:
    """The lists that belong beside the manifest of a run, by name."""
    for step in run.steps:
        for kind, states in zip(KINDS, (step.inputs_before, step.outputs_before, step.outputs_after), strict=True):
            ordered = sorted(states, key=lambda state: state.path)
            told = states_or_digest(ordered, step.name, kind) if _is_long(ordered) else []
            if isinstance(told, dict):
                yield told["list"], lines_of((state.path, state.sha256) for state in ordered)


def files_in(data: bytes, told: Json) -> list[Json] | None:
    """The files of a list; None when it is not the one that ``told`` is the digest of."""
    if sha256_bytes(data) != told.get("dirHash"):
        return None
    lines = (os.fsdecode(line).partition("  ") for line in data.splitlines())
    return [{"path": name, "sha256": digest} for digest, _, name in lines]


def _is_long(states: Iterable[FileState]) -> bool:
    listed = list(states)
    return len(listed) > MOST_LISTED and all(state.sha256 for state in listed)

"""Data that is read from git: files as they were committed, whatever the work tree holds."""

from __future__ import annotations

from mlops_action.canonical import Json, sha256_bytes
from mlops_action.digests import readable
from mlops_action.errors import GitRefused
from mlops_action.facts.interface import Scene
from mlops_action.facts.places import GIT, told_apart
from mlops_action.records import Fact, Uncaptured
from mlops_action.repository import Repository

_MOST_BYTES = 1 << 30


class GitData:
    """Identity is path, blob and SHA-256; the commit that names it is a locator."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact; entries stand in the order of the declaration."""
        repository = Repository(scene.root, scene.context.env)
        identity, locator, gaps = [], [], []
        for entry in told_apart(scene.spec.data).in_git:
            try:
                found, commit = blob_of(repository, entry)
            except GitRefused as error:
                gaps.append(Uncaptured(f"data `{readable(entry)}`", error.message))
                continue
            identity.append(found)
            locator.append({"declared": readable(entry), "commit": commit, "path": found["path"]})
        return Fact("git-data", identity=identity or None, locator=locator or None, uncaptured=tuple(gaps))


def blob_of(repository: Repository, entry: str) -> tuple[Json, str]:
    """What an entry ``git:REF:PATH`` stands for, and the commit that it was found in.

    Raises:
        GitRefused: it names no file of a commit that is here.
    """
    ref, colon, path = entry.removeprefix(GIT).partition(":")
    if not ref or not colon or not path:
        raise GitRefused("it is not `git:REF:PATH`, with a branch, a tag or a commit for REF")
    commit = repository.commit_of(ref)
    name = f"{commit}:./{path}"
    kind = repository.text("cat-file", "-t", name)
    if kind != "blob":
        raise GitRefused(f"it is a {'folder' if kind == 'tree' else kind}: name its files one by one")
    size = int(repository.text("cat-file", "-s", name))
    if size > _MOST_BYTES:
        raise GitRefused(f"it has {size} bytes, and at most {_MOST_BYTES} are read from git")
    blob = repository.text("rev-parse", name)
    sha256 = sha256_bytes(repository.bytes_of("cat-file", "blob", name))
    return {"path": readable(path), "gitBlob": blob, "sha256": sha256, "size": size}, commit

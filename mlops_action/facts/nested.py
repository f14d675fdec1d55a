"""Uncommitted changes inside submodules: the tree of each one that has some, and a patch that leads to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.digests import readable
from mlops_action.errors import GitRefused
from mlops_action.facts.interface import Scene
from mlops_action.facts.patch import kept_patch
from mlops_action.facts.work_tree import WorkTree, snapshot, top_of
from mlops_action.frozen import frozen
from mlops_action.records import Uncaptured
from mlops_action.repository import Repository

FOLDER = "patches"
"""Where the patches are kept beside the manifest."""


@frozen
class Changed:
    """A submodule that is not as it was committed."""

    path: str
    """From the top of the outermost repository."""
    tree: str
    patch: Json
    gaps: tuple[Uncaptured, ...]

    def identity(self) -> Json:
        """What makes it this state."""
        return {"path": self.path, "tree": self.tree}

    def locator(self) -> Json:
        """Where its patch is."""
        return {"path": self.path, "patch": self.patch}


def changed_submodules(
    scene: Scene, repository: Repository, work_tree: WorkTree
) -> tuple[list[Changed], list[Uncaptured]]:
    """Each submodule with uncommitted changes, those inside another one as well, and what git could not tell."""
    found: list[Changed] = []
    gaps: list[Uncaptured] = []
    for path, inner in checked_out(repository, work_tree):
        shown = readable(path)
        try:
            found += _changed(scene, inner, shown, f"{FOLDER}/{len(found) + 1}.patch")
            with snapshot(inner, ()) as tree:
                deeper, lost = changed_submodules(scene, inner, tree)
        except GitRefused as error:
            gaps.append(Uncaptured(f"uncommitted changes inside submodule `{shown}`", error.message))
            continue
        found += [Changed(f"{shown}/{each.path}", each.tree, each.patch, each.gaps) for each in deeper]
        gaps += lost
    return found, gaps


def checked_out(repository: Repository, work_tree: WorkTree) -> Iterator[tuple[str, Repository]]:
    """The submodules whose files are here, by path."""
    top = top_of(repository)
    for raw, _ in work_tree.links():
        path = os.fsdecode(raw)
        if (top / path / ".git").exists():
            yield path, Repository(top / path, repository.env)


def tree_of(folder: Path, repository: Repository) -> str:
    """The tree of the files in a submodule, as they are now.

    Raises:
        GitRefused: git cannot tell.
    """
    with snapshot(Repository(folder, repository.env), ()) as work_tree:
        return work_tree.tree


def _changed(scene: Scene, inner: Repository, path: str, file: str) -> Iterator[Changed]:
    head = inner.commit_of("HEAD")
    with snapshot(inner, ()) as work_tree:
        names = work_tree.changed(head)
        if names:
            patch = kept_patch(scene, work_tree, head, names, file)
            gaps = tuple(Uncaptured(f"{gap.what} inside submodule `{path}`", gap.why) for gap in patch.gaps)
            yield Changed(path, work_tree.tree, patch.locator, gaps)

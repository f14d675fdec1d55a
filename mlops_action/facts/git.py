"""Where the source stands in git: the tree that was used, not only the last commit."""

from __future__ import annotations

import os

from mlops_action.digests import readable
from mlops_action.errors import GitRefused
from mlops_action.facts.interface import Scene
from mlops_action.facts.nested import changed_submodules
from mlops_action.facts.parts import lfs_of, submodules_of
from mlops_action.facts.patch import kept_patch
from mlops_action.facts.urls import bare_url
from mlops_action.facts.work_tree import WorkTree, results_of, snapshot
from mlops_action.records import Fact, Json, Uncaptured
from mlops_action.repository import Repository

MOST_PATHS = 50
"""So many changed paths are listed; the rest is counted."""

SOURCE = "source tree"


class GitFact:
    """Identity is the tree: an ephemeral merge commit of the same tree is the same source."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact without writing to the repository."""
        repository = Repository(scene.root, scene.context.env)
        why = _unusable(repository)
        if why:
            return _none(why)
        try:
            return self._collect(scene, repository)
        except GitRefused as error:
            return _none(f"git refused: {error.message}")

    def _collect(self, scene: Scene, repository: Repository) -> Fact:
        commit = repository.commit_of("HEAD")
        apart = results_of(scene, repository)
        with snapshot(repository, apart) as work_tree:
            changed_paths = work_tree.changed(commit)
            patch = kept_patch(scene, work_tree, commit, changed_paths)
            submodules = submodules_of(repository, work_tree)
            inside, lost = changed_submodules(scene, repository, work_tree)
            lfs = lfs_of(repository)
        changed = [readable(path) for path in changed_paths]
        prefix = os.fsdecode(repository.bytes_of("rev-parse", "--show-prefix").rstrip(b"\n"))
        return Fact(
            "source",
            identity={"tree": work_tree.tree, "subfolder": readable(prefix.rstrip("/"))}
            | ({"submodules": [each.identity() for each in inside]} if inside else {}),
            locator=_locator(repository, commit)
            | {"apart": [readable(spec) for spec in apart], "patch": patch.locator, "submodules": submodules}
            | ({"submodule-patches": [each.locator() for each in inside]} if inside else {}),
            observation={
                "dirty": bool(changed or inside),
                "changed": changed[:MOST_PATHS],
                "changed-count": len(changed),
                "shallow": repository.attempt("rev-parse", "--is-shallow-repository") == "true",
                "autocrlf": repository.attempt("config", "--get", "core.autocrlf"),
                "eol": repository.attempt("config", "--get", "core.eol"),
                "lfs-files": len(lfs.files),
                "lfs-pointers": lfs.pointers,
            },
            uncaptured=(
                *_gaps(work_tree),
                *patch.gaps,
                *lfs.gaps,
                *lost,
                *(gap for each in inside for gap in each.gaps),
            ),
        )


def _unusable(repository: Repository) -> str:
    """Why there is no tree to be had; empty when there is."""
    try:
        inside = repository.text("rev-parse", "--is-inside-work-tree")
    except GitRefused as error:
        return f"git refused: {error.message}"
    if inside != "true":
        return "the project folder is inside `.git`, not in a work tree"
    if not repository.attempt("rev-parse", "--verify", "--quiet", "HEAD"):
        return "the repository has no commit yet"
    if repository.attempt("check-ignore", "."):
        return "git ignores the project folder, so its tree says nothing about it"
    return ""


def _none(why: str) -> Fact:
    return Fact("source", uncaptured=(Uncaptured(SOURCE, why),))


def _locator(repository: Repository, commit: str) -> Json:
    """Where the source can be fetched. Parents come from the commit itself: a shallow clone hides them."""
    header = repository.bytes_of("cat-file", "commit", commit).split(b"\n\n")[0].decode(errors="replace")
    remotes = repository.attempt("remote").splitlines()
    remote = "origin" if "origin" in remotes else (remotes or [""])[0]
    url = repository.attempt("config", "--get", f"remote.{remote}.url") if remote else ""
    return {
        "commit": commit,
        "parents": [line.split()[1] for line in header.splitlines() if line.startswith("parent ")],
        "ref": repository.attempt("symbolic-ref", "--quiet", "HEAD"),
        "refs": repository.attempt("for-each-ref", "--points-at=HEAD", "--format=%(refname)").splitlines()[:MOST_PATHS],
        "remote": bare_url(url),
    }


def _gaps(work_tree: WorkTree) -> tuple[Uncaptured, ...]:
    why = "it is a repository of its own without any commit"
    return tuple(Uncaptured(f"files of `{readable(path)}`", why) for path in work_tree.nested)

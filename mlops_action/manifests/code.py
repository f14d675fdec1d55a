"""The source tree against the manifest: the whole tree by its id, and the names of what differs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import sha256_file
from mlops_action.config.options import DEFAULT_OUTPUT_DIR
from mlops_action.digests import readable
from mlops_action.errors import GitRefused
from mlops_action.facts.nested import checked_out
from mlops_action.facts.work_tree import WorkTree, snapshot
from mlops_action.formats.recorded import outputs_of
from mlops_action.manifests.findings import Finding, Is
from mlops_action.manifests.read import Document
from mlops_action.repository import Repository
from mlops_action.stores.folder import PATCH_FILE

KIND = "code"
MOST_NAMED = 1000
_STATES = {b"A": Is.EXTRA, b"D": Is.MISSING}


def check_code(document: Document, repository: Repository) -> Iterator[Finding]:
    """The work tree, and the patch that leads to it from its commit."""
    recorded = document.part("identity", "source").get("tree")
    yield from _patch(document)
    if not recorded:
        yield Finding(KIND, "source tree", Is.UNCHECKED, "it was not captured")
        return
    try:
        with snapshot(repository, apart_of(document)) as work_tree:
            yield from _submodules(document, repository, work_tree)
            if work_tree.tree == recorded:
                yield Finding(KIND, "source tree", Is.RIGHT, recorded)
                return
            yield from _differences(document, work_tree, recorded)
    except (GitRefused, OSError) as error:
        yield Finding(KIND, "source tree", Is.UNCHECKED, f"git cannot tell: {error}")


def _submodules(document: Document, repository: Repository, work_tree: WorkTree) -> Iterator[Finding]:
    """The files of each submodule that is here: those of its commit, or of its uncommitted state in the run."""
    changed = {each["path"]: each["tree"] for each in document.part("identity", "source").get("submodules", ())}
    for path, inner in checked_out(repository, work_tree):
        shown = readable(path)
        with snapshot(inner, ()) as tree:
            wanted = changed.get(shown) or inner.text("rev-parse", "HEAD^{tree}")
            if tree.tree == wanted:
                yield Finding(KIND, f"submodule {shown}", Is.RIGHT, wanted)
                continue
            named = list(tree.compared_with(wanted)) if tree.knows(wanted) else []
        for status, name in named[:MOST_NAMED]:
            yield Finding(KIND, f"{shown}/{readable(os.fsdecode(name))}", _STATES.get(status, Is.ALTERED))
        if not named:
            yield Finding(KIND, f"submodule {shown}", Is.ALTERED, f"tree {tree.tree}, recorded {wanted}")


def apart_of(document: Document) -> tuple[str, ...]:
    """Pathspecs of what is no source: results."""
    apart = document.part("locator", "source", "apart")
    if isinstance(apart, list):
        return tuple(apart)
    written = (f"literal){each.path}" for each in outputs_of(document.value))  # as the first manifests have it
    return (*written, f"literal){DEFAULT_OUTPUT_DIR}")


def patch_of(document: Document) -> Path | None:
    """The file with the uncommitted changes, when the run had some."""
    return document.folder / PATCH_FILE if document.part("locator", "source").get("patch") else None


def _patch(document: Document) -> Iterator[Finding]:
    path = patch_of(document)
    if path is None:
        return
    wanted = document.part("locator", "source", "patch")["sha256"]
    if not path.is_file():
        yield Finding("patch", PATCH_FILE, Is.MISSING, "the uncommitted changes of the run")
    elif sha256_file(path) != wanted:
        yield Finding("patch", PATCH_FILE, Is.ALTERED, f"recorded SHA-256 {wanted}")
    else:
        yield Finding("patch", PATCH_FILE, Is.RIGHT)


def _differences(document: Document, work_tree: WorkTree, recorded: str) -> Iterator[Finding]:
    """The files that differ, by name when the recorded tree can be had: from git, or from commit and patch."""
    commit = document.part("locator", "source").get("commit", "")
    tree = recorded if work_tree.knows(recorded) else ""
    path = patch_of(document)
    if not tree and path is not None and path.is_file() and work_tree.knows(commit):
        rebuilt = work_tree.patched(commit, path.read_bytes())
        tree = rebuilt if rebuilt == recorded else ""
    if not tree:
        clean = not document.part("observation", "source").get("dirty", True)
        tree = commit if clean and work_tree.knows(commit) else ""
    if not tree:
        why = f"tree {work_tree.tree}, recorded {recorded}; that one is not in this clone, so no file can be named"
        yield Finding(KIND, "source tree", Is.ALTERED, why)
        return
    named = 0
    for status, name in work_tree.compared_with(tree):
        named += 1
        if named <= MOST_NAMED:
            yield Finding(KIND, readable(os.fsdecode(name)), _STATES.get(status, Is.ALTERED))
    if named > MOST_NAMED:
        yield Finding(KIND, f"{named - MOST_NAMED} more files", Is.ALTERED)
    if not named:
        yield Finding(KIND, "source tree", Is.ALTERED, f"tree {work_tree.tree}, recorded {recorded}")

"""Uncommitted changes as a patch that was seen to lead back to the recorded tree."""

from __future__ import annotations

from mlops_action.canonical import Json, sha256_bytes
from mlops_action.digests import readable
from mlops_action.errors import GitRefused, SecretFound
from mlops_action.facts.interface import Scene
from mlops_action.facts.work_tree import WorkTree, top_of
from mlops_action.frozen import frozen
from mlops_action.records import Uncaptured

PATCH_FILE = "source.patch"
MOST_BYTES = 20 * 1024 * 1024
"""A larger patch is not kept: model files and data belong under `manifest.data`, not into a patch."""
WHAT = "uncommitted changes"


@frozen
class Patch:
    """What became of the patch."""

    locator: Json = None
    gaps: tuple[Uncaptured, ...] = ()


def kept_patch(scene: Scene, work_tree: WorkTree, commit: str, changed: list[str], file: str = PATCH_FILE) -> Patch:
    """Keep what leads from ``commit`` to the work tree as ``file``, when there is anything and it can be had.

    Raises:
        GitRefused: git cannot tell where the work tree begins.
    """
    if not changed:
        return Patch()
    try:
        data = _made(scene, work_tree, commit, changed)
    except _Lost as error:
        lost = str(error)
    else:
        lost = _kept(scene, data, file)
    if not lost:
        return Patch({"file": file, "sha256": sha256_bytes(data), "size": len(data)})
    return Patch(None, (Uncaptured(WHAT, f"{lost}; only the id of the whole tree is recorded"),))


def _kept(scene: Scene, data: bytes, file: str) -> str:
    """Keep the patch; returned is why it could not be kept, or nothing."""
    if scene.keep is None:
        return "there was no place to keep a patch in"
    try:
        scene.keep(file, data)
    except SecretFound:
        return "their patch would hold a secret"
    return ""


class _Lost(Exception):
    """There is no patch, and why."""


def _made(scene: Scene, work_tree: WorkTree, commit: str, changed: list[str]) -> bytes:
    size = _size(work_tree, changed)
    if size > MOST_BYTES:
        raise _Lost(f"the changed files have {size} bytes, and at most {MOST_BYTES} are kept as a patch")
    try:
        data = work_tree.patch_from(commit, changed)
    except GitRefused as error:
        raise _Lost(f"git made no patch of them: {error.message}") from error
    if len(data) > MOST_BYTES:
        raise _Lost(f"their patch has {len(data)} bytes, and at most {MOST_BYTES} are kept")
    if work_tree.patched(commit, data) != work_tree.tree:
        raise _Lost("their patch does not lead back to the same tree when it is applied")
    text = data.decode(errors="surrogateescape")
    if scene.redactor.text(text) != text:
        raise _Lost("their patch would hold a secret, or the user part of an address")
    return data


def _size(work_tree: WorkTree, changed: list[str]) -> int:
    top = top_of(work_tree.repository)
    sizes = 0
    for path in changed:
        try:
            seen = (top / path).lstat()
        except (OSError, ValueError):
            continue
        sizes += seen.st_size
    return sizes


def named(paths: list[str], most: int = 20) -> str:
    """Paths for a sentence, the first few of them."""
    shown = ", ".join(f"`{readable(path)}`" for path in paths[:most])
    return shown if len(paths) <= most else f"{shown} and {len(paths) - most} more"

"""What of a source tree lies elsewhere: submodules, and files of Git LFS."""

from __future__ import annotations

import os

from mlops_action.canonical import Json
from mlops_action.digests import readable
from mlops_action.facts.patch import named
from mlops_action.facts.pointers import pointer_at
from mlops_action.facts.urls import bare_url
from mlops_action.facts.work_tree import WorkTree, top_of
from mlops_action.frozen import frozen
from mlops_action.records import Uncaptured
from mlops_action.repository import Repository


@frozen
class Lfs:
    """Files that git leaves to LFS."""

    files: tuple[str, ...]
    pointers: list[Json]
    """Those of which only the pointer is here."""
    gaps: tuple[Uncaptured, ...]


def submodules_of(repository: Repository, work_tree: WorkTree) -> list[Json]:
    """Path, commit and address of each submodule."""
    urls = _urls(repository)
    return [
        {"path": readable(os.fsdecode(path)), "commit": commit, "url": urls.get(os.fsdecode(path), "")}
        for path, commit in work_tree.links()
    ]


def _urls(repository: Repository) -> dict[str, str]:
    """The addresses in ``.gitmodules``, by path."""
    listed = repository.attempt("config", "--file", str(top_of(repository) / ".gitmodules"), "--list")
    values = dict(line.partition("=")[::2] for line in listed.splitlines())
    names = [key.removesuffix(".path") for key in values if key.startswith("submodule.") and key.endswith(".path")]
    return {values[f"{name}.path"]: bare_url(values.get(f"{name}.url", "")) for name in names}


def lfs_of(repository: Repository) -> Lfs:
    """Files whose attributes say ``filter=lfs``; a pointer in place of the content is a gap."""
    listing = repository.bytes_of("ls-files", "-z", "--", ":(top,attr:filter=lfs)")
    files = tuple(os.fsdecode(name) for name in listing.split(b"\0") if name)
    here = [(name, pointer) for name in files if (pointer := pointer_at(repository.root / name)) is not None]
    pointers = [{"path": readable(name), **pointer} for name, pointer in here]
    why = "only their Git LFS pointers are here; the digest in a pointer is recorded, the content was not seen"
    gaps = (Uncaptured(f"content of {named([name for name, _ in here])}", why),) if here else ()
    return Lfs(files, pointers, gaps)

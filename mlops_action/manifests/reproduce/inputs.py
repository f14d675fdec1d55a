"""Source and data: fetched again, and compared by digest."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from mlops_action.errors import GitRefused
from mlops_action.facts.nested import tree_of
from mlops_action.facts.work_tree import snapshot
from mlops_action.formats.recorded import Recorded, inputs_of, part
from mlops_action.manifests.code import apart_of, patch_of
from mlops_action.manifests.findings import Is
from mlops_action.manifests.reproduce.elsewhere import elsewhere
from mlops_action.manifests.reproduce.levels import Check, Level
from mlops_action.manifests.reproduce.workplace import Workplace
from mlops_action.manifests.verify import check_file, plain_path
from mlops_action.repository import Repository


def record(place: Workplace) -> Iterator[Check]:
    """Whether the manifest itself is whole."""
    problems = place.document.problems()
    yield Check(Level.RECORDED, "the manifest is whole", not problems, "; ".join(problems))


def source(place: Workplace) -> Iterator[Check]:
    """Clone, check out, apply the patch; the tree must be the recorded one."""
    value = place.document.value
    recorded = part(value, "identity", "source").get("tree")
    commit = part(value, "locator", "source").get("commit", "")
    address = place.wishes.source or part(value, "locator", "source").get("remote", "")
    if not recorded or not commit or not address:
        why = "the manifest does not say where it is: name a repository with `--source`" if recorded else "no tree"
        yield Check(Level.PINNED, "the source is fetched", ok=False, why=why)
        return
    why = _checked_out(place, address, commit)
    yield Check(Level.PINNED, "the source is fetched", not why, why)
    if why:
        return
    patch = patch_of(place.document)
    if patch is not None:
        code, said = place.run(["git", "apply", "--index", "--binary", patch.resolve()], place.clone)
        yield Check(Level.PINNED, "the patch applies", code == 0, said.strip())
    yield from _submodules(place)
    try:
        with snapshot(Repository(place.project, place.variables), apart_of(place.document)) as tree:
            found = tree.tree
    except (GitRefused, OSError) as error:
        found = str(error)
    why = "" if found == recorded else f"tree {found}, recorded {recorded}"
    yield Check(Level.PINNED, "the source tree is the recorded one", not why, why)


def _submodules(place: Workplace) -> Iterator[Check]:
    """Apply what was uncommitted inside submodules; the tree of each must be the recorded one."""
    value = place.document.value
    trees = {each["path"]: each["tree"] for each in part(value, "identity", "source").get("submodules", ())}
    patches = {each["path"]: each["patch"] for each in part(value, "locator", "source").get("submodule-patches", ())}
    for path, wanted in trees.items():
        folder = place.clone / plain_path(path)
        patch = patches.get(path)
        if not patch or not folder.resolve().is_relative_to(place.clone.resolve()):
            why = "no patch was kept"
        else:
            file = (place.document.folder / patch["file"]).resolve()
            code, said = place.run(["git", "apply", "--index", "--binary", file], folder)
            found = tree_of(folder, Repository(place.clone, place.variables)) if code == 0 else said.strip()
            why = "" if found == wanted else f"tree {found}, recorded {wanted}"
        yield Check(Level.PINNED, f"the submodule `{path}` is the recorded one", not why, why)


def _checked_out(place: Workplace, address: str, commit: str) -> str:
    """Clone into a fresh folder and check out; returned is why that failed."""
    shutil.rmtree(place.clone, ignore_errors=True)
    local = str(Path(address).resolve()) if Path(address).is_dir() else address
    steps: list[tuple[list[str | Path], Path]] = [
        (["git", "clone", "--quiet", "--no-checkout", "--", local, place.clone], place.folder),
        (["git", "checkout", "--quiet", "--detach", commit], place.clone),
    ]
    for command, at in steps:
        code, said = place.run(command, at)
        if code and command[1] == "checkout":  # a merge commit of a pull request is on no branch
            for wanted in (commit, *_merge_refs(place)):
                place.run(["git", "fetch", "--quiet", "origin", wanted], at)
                code, said = place.run(command, at)
                if code == 0:
                    break
        if code:
            return said.strip() or f"git ended with {code}"
    if part(place.document.value, "locator", "source").get("submodules"):
        code, said = place.run(["git", "submodule", "update", "--quiet", "--init", "--recursive"], place.clone)
        return said.strip() if code else ""
    return ""


def _merge_refs(place: Workplace) -> list[str]:
    """Where a server keeps the merge commit of a pull request, which may not be had by its id."""
    value = place.document.value
    claimed = str(part(value, "observation", "ci", "claims", "ref").get("value", ""))
    seen = [str(each) for each in part(value, "locator", "source").get("refs", ())]
    found = [claimed, *(each.replace("refs/remotes/pull/", "refs/pull/") for each in seen)]
    return [
        each for each in dict.fromkeys(found) if re.fullmatch(r"refs/(pull|merge-requests)/[0-9]+/(merge|head)", each)
    ]


def data(place: Workplace) -> Iterator[Check]:
    """Each input of the run: from the clone, from the folder with data, or by DVC and LFS."""
    listed = place.document.listed_data()
    wanted = [*inputs_of(place.document.whole), *(listed or [])]
    if listed is None:
        yield Check(Level.PINNED, "the list of the data files is whole", ok=False, why="missing or altered")
    missing = [each for each in wanted if not _right(place, each)]
    if missing and place.wishes.data is not None:
        for each in missing:
            _copy(place.wishes.data, place.project, each)
        missing = [each for each in missing if not _right(place, each)]
    if missing:
        _pull(place)
        missing = [each for each in missing if not _right(place, each)]
    for each in missing:
        yield Check(Level.PINNED, f"the input `{each.path}` is the recorded one", ok=False, why=_why(place, each))
    yield from elsewhere(place)
    count = len(wanted) - len(missing)
    yield Check(Level.PINNED, "inputs with the recorded digests", ok=True, why=f"{count} of {len(wanted)}")


def _right(place: Workplace, each: Recorded) -> bool:
    path = place.project / plain_path(each.path)
    return path.is_file() and check_file(place.project, each, path).state is Is.RIGHT


def _why(place: Workplace, each: Recorded) -> str:
    path = place.project / plain_path(each.path)
    if path.is_file():
        return check_file(place.project, each, path).why
    return "it is not in the repository: name a folder that holds it with `--data`"


def _copy(source: Path, target: Path, each: Recorded) -> None:
    """Bring a data file; only one that is what was recorded, and only into the project."""
    name = plain_path(each.path)
    found, wanted = source / name, target / name
    if wanted.is_symlink() or not wanted.resolve().is_relative_to(target.resolve()) or not found.is_file():
        return
    if check_file(source, each, found).state is Is.RIGHT:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, wanted)


def _pull(place: Workplace) -> None:
    """What pointers promise, by the tools that they belong to; what they bring is checked by its digest."""
    if any(place.clone.rglob("*.dvc")):
        place.run(["dvc", "pull", "--quiet"], place.project)
    if part(place.document.value, "observation", "source").get("lfs-files"):
        place.run(["git", "lfs", "pull"], place.clone)

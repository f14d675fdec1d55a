"""The environments of the steps: rebuilt by uv, or had again as an image; compared package by package."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.files import write_whole
from mlops_action.formats.pylock import FILE, lock_of_interpreter
from mlops_action.formats.recorded import part
from mlops_action.manifests.findings import WRONG, Finding, Is
from mlops_action.manifests.lock import lock_of, with_archives
from mlops_action.manifests.packages import KIND, check_folders, check_r_packages
from mlops_action.manifests.reproduce.build import Runner, build, register
from mlops_action.manifests.reproduce.images import distributions_in, image_checks, usable_image
from mlops_action.manifests.reproduce.levels import Check, Level
from mlops_action.manifests.reproduce.targets import Target, boxed, far_kernels, image_of_run, targets
from mlops_action.manifests.reproduce.workplace import Workplace

MOST_NAMED = 20
_FOLDERS = "lib/python*/site-packages"
_VERSION = "import platform; print(platform.python_version())"


def environment(place: Workplace) -> Iterator[Check]:
    """Every archive known, then built, then equal; for each interpreter and each image of the run."""
    value = place.document.value
    found, boxes = targets(place), boxed(value)
    if not found and not boxes:
        yield Check(Level.REBUILDABLE, "the packages are recorded", ok=False, why="no Python environment was captured")
        return
    yield from _images(place)
    image, _ = usable_image(place)
    for target in found:
        yield from _interpreter(place, target, image)
    register([target for target in found if target.built])
    for each in check_r_packages(place.document):  # nothing installs them again; they must be here
        if each.state is not Is.RIGHT:
            yield Check(Level.REBUILT, f"{each.kind} {each.what}", ok=False, why=f"{each.state}: {each.why}")
    for kernel in far_kernels(value):
        why = "it ran on another machine, of which nothing is recorded"
        yield Check(Level.REBUILDABLE, f"packages of kernel `{kernel}`", ok=False, why=why)
    yield from _machine(place)


def _images(place: Workplace) -> Iterator[Check]:
    value = place.document.value
    if image_of_run(value):
        yield from image_checks(place)
    elif part(value, "identity", "image").get("container"):
        why = "the run was in a container, and the digest of its image is not recorded"
        yield Check(Level.REBUILDABLE, "the container image is known by digest", ok=False, why=why)
    for box in boxed(value):
        yield from image_checks(place, box)


def _interpreter(place: Workplace, target: Target, image: str) -> Iterator[Check]:
    """One interpreter: in the image of the run as it was, else built, or the one that the user names."""
    if image and not place.wishes.python and distributions_in(place, image, target) == _listed(target):
        yield Check(Level.REBUILDABLE, f"packages of kernel `{target.title}` are in the image", ok=True)
        yield Check(Level.REBUILT, f"packages of kernel `{target.title}` are the recorded ones", ok=True)
        yield from _python(target, _runner(place, image))
        return
    text, unknown = lock_of_interpreter(_with_archives(place), target.number)
    lock = place.folder / (FILE if target.number == 0 else f"pylock.{target.number + 1}.toml")
    write_whole(lock, text)
    run = _runner(place, image)
    why = "" if place.wishes.python else build(place, target, lock, run)
    found = [] if why else _compared(target)
    yield from _rebuildable(target, {each.partition(" ")[0] for each in unknown}, found)
    if not place.wishes.python:
        yield Check(Level.REBUILT, f"the environment of kernel `{target.title}` is built", not why, why)
    if not why:
        yield from _equal(found)
        yield from _python(target, run)


def _listed(target: Target) -> list[Json]:
    """All that the interpreter saw, what only the kernel needed included, by name."""
    both = [*target.interpreter.get("distributions", ()), *target.interpreter.get("beside", ())]
    return sorted(both, key=lambda each: str(each["name"]))


def _runner(place: Workplace, image: str) -> Runner:
    def run(command: Sequence[str | Path]) -> tuple[int, str]:
        return place.inside(image, command) if image else place.run(command)

    return run


def _rebuildable(target: Target, unknown: set[str], found: list[Finding]) -> Iterator[Check]:
    """An archive is known when a lock names its digest, or when what an index gives has the recorded content."""
    names = {each["name"] for each in target.interpreter["distributions"] if each.get("record")}
    again = {each.what for each in found if each.kind == KIND and each.state is Is.RIGHT} & names
    lost = sorted(unknown - again)
    shown = ", ".join(lost[:MOST_NAMED])
    more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
    why = f"neither a lock nor an index gives {shown}{more}" if lost else ""
    what = f"every package of kernel `{target.title}` can be had again with the recorded content"
    yield Check(Level.REBUILDABLE, what, not why, why)


def _compared(target: Target) -> list[Finding]:
    folders = [str(folder) for folder in sorted(target.python.parent.parent.glob(_FOLDERS))]
    return list(check_folders(target.interpreter["distributions"], folders))


def _with_archives(place: Workplace) -> Json:
    lock = place.wishes.lock or lock_of(place.project)
    return with_archives(place.document.value, lock) if lock is not None else place.document.value


def _equal(found: list[Finding]) -> Iterator[Check]:
    wrong = [each for each in found if each.state in WRONG]
    for each in wrong[:MOST_NAMED]:
        yield Check(Level.REBUILT, f"{each.kind} {each.what}", ok=False, why=f"{each.state}: {each.why}")
    if len(wrong) > MOST_NAMED:
        yield Check(Level.REBUILT, f"{len(wrong) - MOST_NAMED} more packages", ok=False, why="they differ")


def _python(target: Target, run: Runner) -> Iterator[Check]:
    code, said = run([target.python, "-I", "-c", _VERSION])
    version = said.strip() if code == 0 else f"unknown ({said.strip()})"
    what = f"Python of kernel `{target.title}` has the recorded version"
    yield Check(Level.REBUILT, what, version == target.version, f"{version}, recorded {target.version}")


def _machine(place: Workplace) -> Iterator[Check]:
    here = {"system": platform.system(), "machine": platform.machine()}
    recorded = part(place.document.value, "identity", "platform")
    if recorded:
        same = all(recorded.get(key) == value for key, value in here.items())
        yield Check(Level.REBUILT, "the kind of machine is the recorded one", same, f"{here}, recorded {recorded}")

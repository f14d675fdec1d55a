"""The Python environment: built again by uv, and compared package by package."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.files import write_whole
from mlops_action.formats.pylock import FILE, PyLock
from mlops_action.formats.recorded import part
from mlops_action.manifests.findings import WRONG, Finding, Is
from mlops_action.manifests.lock import lock_of, with_archives
from mlops_action.manifests.packages import KIND, check_folders
from mlops_action.manifests.reproduce.levels import Check, Level
from mlops_action.manifests.reproduce.workplace import Workplace

MOST_NAMED = 20
_FOLDERS = "lib/python*/site-packages"


def environment(place: Workplace) -> Iterator[Check]:
    """Every archive known, then built, then equal."""
    interpreters = part(place.document.value, "identity", "python") or []
    if not interpreters:
        yield Check(Level.REBUILDABLE, "the packages are recorded", ok=False, why="no Python environment was captured")
        return
    exported = PyLock().render(_with_archives(place))
    write_whole(place.folder / FILE, exported.files[0][1])
    why = "" if place.wishes.python else _built(place, interpreters[0])
    found = [] if why else _compared(place, interpreters[0])
    yield from _rebuildable(place, interpreters, {each.partition(" ")[0] for each in exported.missing}, found)
    if not place.wishes.python:
        yield Check(Level.REBUILT, "the environment is built", not why, why)
    if not why:
        yield from _equal(place, interpreters[0], found)


def _rebuildable(
    place: Workplace, interpreters: list[Json], unknown: set[str], found: list[Finding]
) -> Iterator[Check]:
    """An archive is known when a lock names its digest, or when what an index gives has the recorded content."""
    names = {each["name"] for each in interpreters[0]["distributions"] if each.get("record")}
    again = {each.what for each in found if each.kind == KIND and each.state is Is.RIGHT} & names
    lost = sorted(unknown - again)
    shown = ", ".join(lost[:MOST_NAMED])
    more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
    why = f"neither a lock nor an index gives {shown}{more}" if lost else ""
    yield Check(Level.REBUILDABLE, "every package can be had again with the recorded content", not why, why)
    if len(interpreters) > 1:
        why = f"{len(interpreters)} interpreters were recorded, and one is rebuilt"
        yield Check(Level.REBUILDABLE, "one environment for all steps", ok=False, why=why)
    image = part(place.document.value, "identity", "image")
    if image.get("container") and not image.get("digest"):
        why = "the run was in a container, and the digest of its image is not recorded"
        yield Check(Level.REBUILDABLE, "the container image is known by digest", ok=False, why=why)


def _compared(place: Workplace, interpreter: Json) -> list[Finding]:
    folders = [str(folder) for folder in sorted(place.python.parent.parent.glob(_FOLDERS))]
    return list(check_folders(interpreter["distributions"], folders))


def _with_archives(place: Workplace) -> Json:
    lock = place.wishes.lock or lock_of(place.project)
    return with_archives(place.document.value, lock) if lock is not None else place.document.value


def _built(place: Workplace, interpreter: Json) -> str:
    """Build the environment: by archive digest where it is known, else by version. Returned is why it failed."""
    shutil.rmtree(place.venv, ignore_errors=True)
    version = str(interpreter.get("version", ""))
    uv = _uv()
    code, said = place.run([uv, "venv", "--quiet", "--python", version, place.venv])
    if code:
        return said.strip()
    lock = place.folder / FILE
    code, said = place.run([uv, "pip", "sync", "--quiet", "--python", place.python, lock]) if _whole(lock) else (0, "")
    if code:
        return said.strip()
    wanted = place.folder / "requirements.txt"
    write_whole(wanted, "".join(f"{line}\n" for line in _requirements(place, interpreter, lock)).encode())
    if not wanted.stat().st_size:
        return ""
    code, said = place.run([uv, "pip", "install", "--quiet", "--no-deps", "--python", place.python, "-r", wanted])
    return said.strip() if code else ""


def _requirements(place: Workplace, interpreter: Json, lock: Path) -> Iterator[str]:
    """By version what the lock does not hold; what came from a folder of a machine cannot be had."""
    places = part(place.document.value, "locator", "python") or [{}]
    local = {name for name, url in places[0].get("origins", {}).items() if str(url).startswith("file:")}
    held = lock.read_text("utf-8")
    for each in interpreter.get("distributions", ()):
        name = each["name"]
        if f'name = "{name}"\n' not in held and name not in local and not each.get("editable"):
            yield f"{name}=={each['version']}"


def _whole(lock: Path) -> bool:
    return "[[packages]]" in lock.read_text("utf-8")


def _uv() -> str:
    """Uv beside our own interpreter, else on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else "uv"


def _equal(place: Workplace, interpreter: Json, found: list[Finding]) -> Iterator[Check]:
    wrong = [each for each in found if each.state in WRONG]
    for each in wrong[:MOST_NAMED]:
        yield Check(Level.REBUILT, f"{each.kind} {each.what}", ok=False, why=f"{each.state}: {each.why}")
    if len(wrong) > MOST_NAMED:
        yield Check(Level.REBUILT, f"{len(wrong) - MOST_NAMED} more packages", ok=False, why="they differ")
    code, said = place.run([place.python, "-I", "-c", "import platform; print(platform.python_version())"])
    version = said.strip() if code == 0 else f"unknown ({said.strip()})"
    wanted = str(interpreter.get("version", ""))
    yield Check(Level.REBUILT, "Python has the recorded version", version == wanted, f"{version}, recorded {wanted}")
    here = {"system": platform.system(), "machine": platform.machine()}
    recorded = part(place.document.value, "identity", "platform")
    if recorded:
        same = all(recorded.get(key) == value for key, value in here.items())
        yield Check(Level.REBUILT, "the kind of machine is the recorded one", same, f"{here}, recorded {recorded}")

"""The Python environment: built again by uv, and compared package by package."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.files import write_whole
from mlops_action.formats.pylock import FILE, PyLock
from mlops_action.formats.recorded import part
from mlops_action.manifests.findings import WRONG
from mlops_action.manifests.lock import lock_of, with_archives
from mlops_action.manifests.packages import check_folders
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
    yield from _rebuildable(place, interpreters)
    if not place.wishes.python:
        why = _built(place, interpreters[0])
        yield Check(Level.REBUILT, "the environment is built", not why, why)
        if why:
            return
    yield from _equal(place, interpreters[0])


def _rebuildable(place: Workplace, interpreters: list[Json]) -> Iterator[Check]:
    exported = PyLock().render(_with_archives(place))
    write_whole(place.folder / FILE, exported.files[0][1])
    shown = ", ".join(each.partition(":")[0] for each in exported.missing[:MOST_NAMED])
    more = f" and {len(exported.missing) - MOST_NAMED} more" if len(exported.missing) > MOST_NAMED else ""
    why = f"not known for {shown}{more}" if exported.missing else ""
    yield Check(Level.REBUILDABLE, "the archive of every package is known by digest", not why, why)
    if len(interpreters) > 1:
        why = f"{len(interpreters)} interpreters were recorded, and one is rebuilt"
        yield Check(Level.REBUILDABLE, "one environment for all steps", ok=False, why=why)
    image = part(place.document.value, "identity", "image")
    if image.get("container") and not image.get("digest"):
        why = "the run was in a container, and the digest of its image is not recorded"
        yield Check(Level.REBUILDABLE, "the container image is known by digest", ok=False, why=why)


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
    import sys

    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else "uv"


def _equal(place: Workplace, interpreter: Json) -> Iterator[Check]:
    folders = [str(folder) for folder in sorted(place.python.parent.parent.glob(_FOLDERS))]
    wrong = [each for each in check_folders(interpreter["distributions"], folders) if each.state in WRONG]
    for each in wrong[:MOST_NAMED]:
        yield Check(Level.REBUILT, f"{each.kind} {each.what}", ok=False, why=f"{each.state}: {each.why}")
    if len(wrong) > MOST_NAMED:
        yield Check(Level.REBUILT, f"{len(wrong) - MOST_NAMED} more packages", ok=False, why="they differ")
    code, said = place.run([place.python, "-I", "-c", "import platform; print(platform.python_version())"])
    found = said.strip() if code == 0 else f"unknown ({said.strip()})"
    wanted = str(interpreter.get("version", ""))
    yield Check(Level.REBUILT, "Python has the recorded version", found == wanted, f"{found}, recorded {wanted}")
    here = {"system": platform.system(), "machine": platform.machine()}
    recorded = part(place.document.value, "identity", "platform")
    if recorded:
        same = all(recorded.get(key) == value for key, value in here.items())
        yield Check(Level.REBUILT, "the kind of machine is the recorded one", same, f"{here}, recorded {recorded}")

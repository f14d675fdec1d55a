"""A recorded Python environment built again by uv."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.files import write_whole
from mlops_action.manifests.reproduce.targets import DEFAULT_KERNEL, Target, environment_of, main_targets
from mlops_action.manifests.reproduce.workplace import Workplace, uv_command

Runner = Callable[[Sequence[str | Path]], tuple[int, str]]
"""Runs a command, here or in a container: its exit code and what it said."""
_BESIDE = "beside.pth"


def build(place: Workplace, target: Target, lock: Path, run: Runner) -> str:
    """Build it: by archive digest where the lock names one, else by version. Returned is why it failed."""
    shutil.rmtree(target.venv, ignore_errors=True)
    uv = uv_command()
    commands: list[list[str | Path]] = [[uv, "venv", "--quiet", "--python", _base(target), target.venv]]
    if "[[packages]]" in lock.read_text("utf-8"):
        commands.append([uv, "pip", "sync", "--quiet", "--python", target.own, lock])
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--no-deps", "--python", target.own]
    wanted = _listed(place, target, "distributions", lock)
    if wanted:
        commands.append([*install, "-r", wanted])
    beside = _listed(place, target, "beside", lock)
    if beside:
        commands.append([*install, "--target", _beside(target), "-r", beside])
    for command in commands:
        code, said = run(command)
        if code:
            return said.strip() or f"it ended with {code}"
    if beside:
        _found_last(target)
    return ""


def register(found: list[Target]) -> None:
    """Let each environment's main interpreter know the kernels that another one, or another name, stands for."""
    main = main_targets(found)
    for target in found:
        for label in target.labels:
            name = label.rpartition("/")[2]
            if name != DEFAULT_KERNEL:
                argv = [str(target.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
                spec = {"argv": argv, "display_name": name, "language": "python"}
                folder = main[environment_of(label)].venv / "share/jupyter/kernels" / name.lower()
                write_whole(folder / "kernel.json", json.dumps(spec).encode())


def _base(target: Target) -> str:
    """What uv makes the environment from: our own interpreter where it has the version, else any that has it."""
    own: str = getattr(sys, "_base_executable", "") or sys.executable
    return own if platform.python_version() == target.version and not target.boxed else target.version


def _listed(place: Workplace, target: Target, part: str, lock: Path) -> Path | None:
    """A file of requirements by version: what the lock does not hold and was not installed from a folder."""
    local = {name for name, url in target.place.get("origins", {}).items() if str(url).startswith("file:")}
    held = lock.read_text("utf-8") if part == "distributions" else ""
    lines = list(_requirements(target.interpreter.get(part, ()), held, local))
    if not lines:
        return None
    path = place.folder / f"{part}-{target.number + 1}.txt"
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())
    return path


def _requirements(distributions: Sequence[Json], held: str, local: set[str]) -> Iterator[str]:
    for each in distributions:
        name = each["name"]
        if f'name = "{name}"\n' not in held and name not in local and not each.get("editable"):
            yield f"{name}=={each['version']}"


def _beside(target: Target) -> Path:
    return target.venv / "beside"


def _found_last(target: Target) -> None:
    """What only the kernel needs comes after everything else, as it did in the run."""
    for site in target.venv.glob("lib/python*/site-packages"):
        write_whole(site / _BESIDE, f"{_beside(target)}\n".encode())

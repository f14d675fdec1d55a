"""R and its packages, as the libraries of each R kernel hold them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path

from mlops_action.canonical import Json
from mlops_action.facts.interface import Scene
from mlops_action.kernels.environment import kernel_environment
from mlops_action.records import Fact, KernelChoice, Uncaptured

TIMEOUT_SECONDS = 60
_PROGRAM = re.compile(r"R(script)?(\.exe)?", re.IGNORECASE)
_QUESTION = r"cat('\n', as.character(getRversion()), '\n', sep=''); cat(.libPaths(), sep='\n'); cat('\n')"
_SOURCE_KEYS = ("RemoteType", "RemoteUsername", "RemoteRepo", "RemoteSha", "GithubSHA1")
_BUILT = re.compile(r"R [0-9.]+")


class _Unknown(Exception):
    """An R that cannot be asked, and why."""


class RPackages:
    """Identity is the version of R, and name, version and source of each package; where they lie is a locator.

    A package does not know its archive, and building it twice gives other bytes: there is no digest of its content.
    """

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact, once for each program that starts R."""
        identity, locator, gaps = [], [], []
        for program, kernels in _programs(scene).items():
            names = sorted({kernel.label for kernel in kernels})
            try:
                version, libraries = _ask(scene, program, kernels[0])
            except _Unknown as error:
                shown = ", ".join(f"`{name}`" for name in names)
                gaps.append(Uncaptured(f"packages of kernel {shown}", str(error)))
                continue
            identity.append({"kernels": names, "version": version, "packages": packages_in(libraries)})
            locator.append({"kernels": names, "executable": program, "libraries": libraries})
        return Fact("r", identity=identity or None, locator=locator or None, uncaptured=tuple(gaps))


def packages_in(libraries: Iterable[str]) -> list[Json]:
    """The packages of these folders, by name; of two of a name the first counts, as in R."""
    found: dict[str, Json] = {}
    for library in libraries:
        for path in sorted(Path(library).glob("*/DESCRIPTION")):
            package = _described(path)
            if package:
                found.setdefault(package["name"], package)
    return [found[name] for name in sorted(found)]


def _described(path: Path) -> Json:
    try:
        fields = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return {}
    if not fields["Package"] or not fields["Version"] or not fields["Built"]:  # the last comes with installation
        return {}
    built = _BUILT.match(str(fields["Built"] or ""))
    remote = " ".join(str(fields[key]) for key in _SOURCE_KEYS if fields[key])
    source = remote or fields["Repository"] or ("R" if fields["Priority"] == "base" else "")
    entry = {
        "name": fields["Package"],
        "version": fields["Version"],
        "built": built and built.group(),
        "source": source,
    }
    return {key: str(value) for key, value in entry.items() if value}


def _programs(scene: Scene) -> dict[str, list[KernelChoice]]:
    """R kernels of this machine by the program that starts them."""
    found: dict[str, list[KernelChoice]] = {}
    for kernel in (kernel for step in scene.plan.steps for kernel in step.kernels):
        if kernel.language.lower() == "r" and kernel.argv and kernel.where not in {"container", "gateway"}:
            found.setdefault(kernel.argv[0], []).append(kernel)
    return found


def _ask(scene: Scene, program: str, kernel: KernelChoice) -> tuple[str, list[str]]:
    """Version and libraries of an R, asked in the project folder: its `.Rprofile` may name a library of its own."""
    if not _PROGRAM.fullmatch(Path(program).name):
        raise _Unknown(f"its command `{Path(program).name}` is not R")
    env = kernel_environment(scene.context.env, (), {**scene.plan.environment, **kernel.env})
    executable = str(scene.root / program) if "/" in program else shutil.which(program, path=env.get("PATH"))
    if executable is None:
        raise _Unknown(f"there is no `{program}` on PATH")
    options = [] if Path(program).stem.lower() == "rscript" else ["--slave", "--no-save", "--no-restore"]
    try:
        done = subprocess.run(
            [executable, *options, "-e", _QUESTION],
            cwd=scene.root,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise _Unknown(f"R said nothing within {TIMEOUT_SECONDS} seconds") from None
    except OSError as error:
        raise _Unknown(f"R cannot be asked: {error.strerror or error}") from error
    lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line]
    at = next((i for i, line in enumerate(lines) if re.fullmatch(r"\d+\.\d+\.\d+", line)), None)
    if done.returncode or at is None:
        raise _Unknown(f"R ended with {done.returncode}")
    return lines[at], [line for line in lines[at + 1 :] if line.startswith("/") or line[1:3] == ":/"]

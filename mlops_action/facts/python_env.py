"""Python interpreters of the steps, and every distribution that they see."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from string import Template

from mlops_action.facts.distributions import Distribution, distributions_on
from mlops_action.facts.interface import Scene
from mlops_action.frozen import frozen
from mlops_action.kernels.launcher import BESIDE
from mlops_action.records import Fact, Json, Uncaptured

TIMEOUT_SECONDS = 60
_PASSED = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
_INTERPRETER = re.compile(r"(python|pypy)[0-9.]*t?d?(\.exe)?", re.IGNORECASE)
_MOST_NAMES = 20
# `-I` hides the user's own packages, which a kernel sees unless it runs in a closed virtual environment.
_PROBE = """
import json, os, site, sys, sysconfig
path = list(sys.path)
if sys.base_prefix in site.PREFIXES:
    user = site.getusersitepackages()
    if os.path.isdir(user):
        path.insert(0, user)
print()
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": sys.version.split()[0],
    "platform": sysconfig.get_platform(),
    "path": path,
}))
"""


ELSEWHERE = {"container": "they are in its image", "gateway": "it runs on another machine"}
"""Places whose files are not on this machine, and what becomes of their packages."""


class _Unknown(Exception):
    """An interpreter that cannot be asked, and why."""


@frozen
class _Interpreter:
    """What one interpreter said."""

    kernels: list[str]
    executable: str
    said: dict[str, Json]
    distributions: list[Distribution]
    beside: list[Distribution]
    """What only the kernel itself needs, from a folder of its own after all others."""

    def identity(self) -> Json:
        return {
            "kernels": self.kernels,
            "implementation": self.said["implementation"],
            "version": self.said["version"],
            "distributions": [found.identity() for found in self.distributions],
            **({"beside": [found.identity() for found in self.beside]} if self.beside else {}),
        }

    def locator(self) -> Json:
        origins = {found.name: found.url for found in self.distributions if found.url}
        path = list(self.said["path"])
        return {"kernels": self.kernels, "executable": self.executable, "origins": origins, "path": path}

    def gaps(self) -> list[Uncaptured]:
        where = f" of kernel {_quoted(self.kernels)}"
        local = [found.name for found in self.distributions if found.local]
        bare = [found.name for found in self.distributions if not found.record and not found.local]
        gaps = []
        if local:
            why = "installed from a folder or file of this machine, so not rebuildable from an index"
            gaps.append(Uncaptured(f"distributions {_quoted(local)}{where}", why))
        if bare:
            why = "they were installed without a list of their files; only name and version are recorded"
            gaps.append(Uncaptured(f"content of distributions {_quoted(bare)}{where}", why))
        return gaps


class PythonEnvironment:
    """Asks each different interpreter once, then reads its folders."""

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact; interpreters stand in the order of the steps."""
        asked, gaps = [], []
        for command, names in _interpreters(scene).items():
            try:
                said, executable = _ask(scene, command)
            except _Unknown as unknown:
                gaps.append(Uncaptured(f"packages of kernel {_quoted(names)}", str(unknown)))
                continue
            found = distributions_on(said["path"])
            beside = [each for each in distributions_on(_beside(scene, command)) if each.name not in _names(found)]
            asked.append(_Interpreter(names, executable, said, found, beside))
        gaps += [
            Uncaptured(f"packages of kernel {_quoted([kernel.label])}", ELSEWHERE[kernel.where])
            for kernel in {step.kernel.label: step.kernel for step in scene.plan.steps if step.kernel}.values()
            if kernel.where in ELSEWHERE
        ]
        return Fact(
            "python",
            identity=[each.identity() for each in asked] or None,
            locator=[each.locator() for each in asked] or None,
            observation=[{"kernels": each.kernels, "platform": each.said["platform"]} for each in asked] or None,
            uncaptured=(*gaps, *(gap for each in asked for gap in each.gaps())),
        )


def _interpreters(scene: Scene) -> dict[str, list[str]]:
    """Command of each different interpreter, with the names of its kernels."""
    found: dict[str, list[str]] = {}
    for step in scene.plan.steps:
        kernel = step.kernel
        if kernel and kernel.language.lower() == "python" and kernel.argv and kernel.where not in ELSEWHERE:
            names = found.setdefault(kernel.argv[0], [])
            names.extend([kernel.label] if kernel.label not in names else [])
    return found


def _beside(scene: Scene, command: str) -> list[str]:
    """The folder that holds ipykernel for an interpreter that does not have it."""
    kernels = [step.kernel for step in scene.plan.steps if step.kernel and step.kernel.argv[:1] == (command,)]
    return sorted({Template(kernel.env[BESIDE]).safe_substitute() for kernel in kernels if BESIDE in kernel.env})


def _names(distributions: list[Distribution]) -> set[str]:
    return {each.name for each in distributions}


def _ask(scene: Scene, command: str) -> tuple[dict[str, Json], str]:
    """Run an interpreter once: what it says, and its path."""
    if not _INTERPRETER.fullmatch(Path(command).name):
        raise _Unknown(f"its command `{Path(command).name}` is not a Python interpreter")
    environment = {name: scene.context.env[name] for name in _PASSED if name in scene.context.env}
    executable = str(scene.root / command) if "/" in command else shutil.which(command, path=environment.get("PATH"))
    if executable is None:
        raise _Unknown(f"there is no `{command}` on PATH")
    try:
        done = subprocess.run(
            [executable, "-I", "-B", "-c", _PROBE],
            cwd=scene.root,
            env={**environment, "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        said = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        raise _Unknown(f"the interpreter said nothing within {TIMEOUT_SECONDS} seconds") from None
    except (OSError, ValueError, IndexError) as error:
        raise _Unknown(f"the interpreter cannot be asked: {error}") from error
    if not isinstance(said, dict):
        raise _Unknown(f"the interpreter ended with {done.returncode}")
    return said, executable


def _quoted(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown

"""Kernelspecs: found by their files, as Jupyter lays them out, without starting anything."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mlops_action.errors import KernelMissing, nearest
from mlops_action.frozen import frozen
from mlops_action.kernels.existing import activated, kernel_of
from mlops_action.records import KernelChoice

DEFAULT_KERNEL = "python3"
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
INSTALL_HINTS = {
    "python3": "`python -m pip install ipykernel` in the environment that the notebook needs",
    "ir": "R's package IRkernel (Debian: `apt-get install r-cran-irkernel`)",
    "bash": "`pip install bash_kernel && python -m bash_kernel.install --sys-prefix`",
    "deno": "`pip install deno && deno jupyter --install`",
    "jslab": "`npm install -g tslab && tslab install`",
    "tslab": "`npm install -g tslab && tslab install`",
    "julia": "`julia -e 'using Pkg; Pkg.add(\"IJulia\")'`",
    "octave": "`pip install octave-kernel`",
    "scala": "almond: `coursier launch almond -- --install`",
    "xpython": "`pip install xeus-python`",
}


@frozen
class KernelFinder:
    """Looks for kernelspecs in one environment."""

    env: Mapping[str, str]
    cwd: Path
    python: str = ""
    """Interpreter to prefer; a path, a name on PATH, or empty."""

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name.

        Raises:
            KernelMissing: there is none, or its ``kernel.json`` is broken.
        """
        if self.python and name == DEFAULT_KERNEL:  # of this interpreter, or none
            return self._of_interpreter(self._program(self.python))
        for folder, prefix in self._folders():
            spec_dir = folder / name.lower()
            if (spec_dir / "kernel.json").is_file():
                return self._choice(name, spec_dir, prefix)
        known = self.names()
        searched = ", ".join(str(folder) for folder, _ in self._folders() if folder.is_dir()) or "no kernel folder"
        install = INSTALL_HINTS.get(
            name, INSTALL_HINTS.get(name.partition("-")[0], "the kernel, and register it where Jupyter looks")
        )
        there = nearest(name, known) if known else "no kernel is installed"
        raise KernelMissing(
            f"there is no Jupyter kernel `{name}` (searched {searched})", hint=f"{there}; or install {install}"
        )

    def names(self) -> list[str]:
        """Names of all kernels that there are."""
        found = {
            spec.parent.name
            for folder, _ in self._folders()
            if folder.is_dir()
            for spec in sorted(folder.glob("*/kernel.json"))
        }
        return sorted(found)

    def _folders(self) -> Iterator[tuple[Path, Path | None]]:
        """Folders with kernelspecs, the preferred first, each with the Python prefix that it belongs to."""
        from jupyter_core.paths import SYSTEM_JUPYTER_PATH

        for prefix in self._prefixes():
            yield prefix / "share" / "jupyter" / "kernels", prefix
        paths = [Path(path) for path in self.env.get("JUPYTER_PATH", "").split(os.pathsep) if path]
        data = self.env.get("JUPYTER_DATA_DIR")
        home = Path(self.env.get("HOME", "/"))
        share = Path(self.env.get("XDG_DATA_HOME") or home / ".local" / "share")
        paths.append(Path(data) if data else share / "jupyter")
        paths += [Path(path) for path in SYSTEM_JUPYTER_PATH]
        for path in paths:
            yield path / "kernels", None

    def _prefixes(self) -> Iterator[Path]:
        """Python environments: the one asked for, else the active one, our own, those on PATH."""
        seen: set[Path] = set()
        for prefix in self._all_prefixes():
            if prefix not in seen:
                seen.add(prefix)
                yield prefix

    def _all_prefixes(self) -> Iterator[Path]:
        if self.python:
            yield self._program(self.python).parent.parent
        if self.env.get("VIRTUAL_ENV"):
            yield Path(self.env["VIRTUAL_ENV"])
        if self.env.get("CONDA_PREFIX"):
            yield Path(self.env["CONDA_PREFIX"])
        yield Path(sys.prefix)
        for folder in self.env.get("PATH", "").split(os.pathsep):
            if folder and any((Path(folder) / name).exists() for name in ("python3", "python", "python.exe")):
                yield Path(folder).parent

    def _of_interpreter(self, python: Path) -> KernelChoice:
        prefix = python.parent.parent
        spec_dir = prefix / "share" / "jupyter" / "kernels" / DEFAULT_KERNEL
        if not (spec_dir / "kernel.json").is_file():
            return kernel_of(DEFAULT_KERNEL, python, self.env)
        return activated(self._choice(DEFAULT_KERNEL, spec_dir, prefix, str(python)), prefix)

    def _program(self, python: str) -> Path:
        """``/x/.venv/bin/python`` for ``.venv/bin/python`` or a name on PATH.

        Raises:
            KernelMissing: there is no such interpreter.
        """
        beside = self.cwd / python
        found = str(beside) if beside.is_file() else shutil.which(python, path=self.env.get("PATH"))
        if found is None:
            hint = "give a path or a name on PATH; a version alone is for an environment with `packages`"
            raise KernelMissing(f"there is no Python interpreter `{python}`", hint=hint)
        return Path(os.path.abspath(found))  # noqa: PTH100  # resolving would leave the virtual environment

    def _choice(self, name: str, spec_dir: Path, prefix: Path | None, own: str = "") -> KernelChoice:
        try:
            spec = json.loads((spec_dir / "kernel.json").read_bytes())
            argv = [str(part) for part in spec["argv"]]
            choice = KernelChoice(
                name=name,
                spec_dir=str(spec_dir),
                language=str(spec.get("language", "")),
                argv=tuple(argv),
                display_name=str(spec.get("display_name", name)),
                env={str(variable): str(value) for variable, value in spec.get("env", {}).items()},
                interrupt_mode=str(spec.get("interrupt_mode", "signal")),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KernelMissing(
                f"the kernelspec of `{name}` is broken: {error}",
                origin=str(spec_dir / "kernel.json"),
                hint="install the kernel again",
            ) from None
        pythonic = bool(argv) and _PYTHON.fullmatch(argv[0]) is not None
        interpreter = (own or _interpreter(prefix, argv[0])) if pythonic else ""
        return replace(choice, argv=(interpreter, *argv[1:])) if interpreter else choice


def _interpreter(prefix: Path | None, name: str) -> str:
    """What ``python``, ``python3`` or ``python3.11`` means: as jupyter_client has it, not what is first on PATH."""
    usual = name in {"python", "python3"}
    if prefix is not None:
        wanted = [prefix / "bin" / name]
        wanted += [prefix / "bin" / "python", prefix / "bin" / "python3", prefix / "python.exe"] if usual else []
        for place in wanted:
            if place.exists():
                return str(place)
    return sys.executable if usual or name == f"python3.{sys.version_info.minor}" else ""

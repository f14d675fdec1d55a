"""Tools and the machine: what installs packages, git, the container engine, the CI system, disk and memory."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_action import __version__
from mlops_action.ci import CI_SYSTEMS
from mlops_action.ci.detect import detect
from mlops_action.config.values import size_text
from mlops_action.diagnosis.findings import Finding
from mlops_action.executors.memory import available_memory
from mlops_action.frozen import frozen
from mlops_action.kernels.builders import find_uv
from mlops_action.kernels.environment import kernel_environment

TOOLS, ENGINE, MACHINE = "tools", "container engine", "machine"
TOOL_SECONDS = 10
LOW_DISK = 1024**3
NO_DISK = 100 * 1024**2
_ENGINES = ("docker", "podman")


@frozen
class Needs:
    """What the configuration needs of the machine."""

    builder: bool = False
    uv: bool = False
    git: bool = False
    engine: bool = False
    memory: int = 0


@frozen
class MachineExaminer:
    """Looks at everything that is not a kernel."""

    root: Path
    env: Mapping[str, str]
    needs: Needs

    def tools(self) -> Iterator[Finding]:
        """Uv, pip and git."""
        uv = find_uv(self.env)
        pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else []
        git = shutil.which("git", path=self.env.get("PATH"))
        yield self._tool("uv", [*uv, "--version"]) if uv else self._no_uv(bool(pip))
        yield self._tool("pip", [*pip, "--version"]) if pip else Finding(TOOLS, "pip", "not here")
        yield self._tool("git", [git, "--version"]) if git else self._no_git()

    def _no_uv(self, pip: bool) -> Finding:
        instead = "packages are installed with pip, slowly" if pip else "nor is pip, so no packages can be installed"
        needed = self.needs.uv or (self.needs.builder and not pip)
        remedy = "install uv (`python -m pip install uv`)"
        return Finding(TOOLS, "uv", "", {}, f"uv is not here; {instead}", remedy, needed)

    def _no_git(self) -> Finding:
        problem = "git is not on PATH, so the state of the source is not recorded"
        return Finding(TOOLS, "git", "", {}, problem, "install git", self.needs.git)

    def engine(self) -> Iterator[Finding]:
        """Container engines that can be reached."""
        commands = [shutil.which(name, path=self.env.get("PATH")) for name in _ENGINES]
        found = [self._engine(command) for command in commands if command]
        working = any(not each.problem for each in found)
        for each in found:
            yield replace(each, needed=self.needs.engine and not working)
        if not found:
            problem = "no `docker` or `podman` is on PATH" if self.needs.engine else ""
            remedy = "install one, or mount the host's socket and client into the job's container"
            yield Finding(ENGINE, "none", "no engine is installed", {}, problem, remedy, self.needs.engine)
        if self.needs.engine and importlib.util.find_spec("docker") is None:
            remedy = "`python -m pip install 'mlops-action[container]'`"
            yield Finding(ENGINE, "SDK", "", {}, "the Docker SDK for Python is not installed", remedy, needed=True)

    def machine(self) -> Iterator[Finding]:
        """The CI system, disk and memory."""
        python = sys.version.split()[0]
        yield Finding(MACHINE, "mlops-action", f"{__version__}, Python {python}, {sys.platform}", {"python": python})
        system = type(detect(self.env))
        names = [name for name, entry in CI_SYSTEMS.items() if entry.endswith(f":{system.__name__}")]
        yield Finding(MACHINE, "CI system", names[0], {"system": names[0]})
        for name, folder in {"project folder": self.root, "temporary files": Path(tempfile.gettempdir())}.items():
            yield self._disk(name, folder)
        free = available_memory()
        short = bool(free and self.needs.memory > free)
        yield Finding(
            MACHINE,
            "memory",
            f"{size_text(free)} available" if free else "not known",
            {"available": free},
            f"a step asks for {size_text(self.needs.memory)}" if short else "",
            "use a machine with more memory, or lower `memory:`",
        )

    def _disk(self, name: str, folder: Path) -> Finding:
        free = shutil.disk_usage(folder).free
        found = Finding(MACHINE, name, f"{size_text(free)} free at {folder}", {"folder": str(folder), "free": free})
        if not os.access(folder, os.W_OK):
            remedy = "give this user the right to write there"
            return replace(found, problem="nothing can be written there", remedy=remedy, needed=True)
        if free < LOW_DISK:
            return replace(found, problem="little space is left", remedy="free disk space", needed=free < NO_DISK)
        return found

    def _engine(self, command: str) -> Finding:
        name = Path(command).name
        code, said = self._ask([command, "version", "--format", "{{.Server.Version}}"])
        if code == 0 and said:
            return Finding(ENGINE, name, f"engine {said}, {command}", {"version": said, "command": command})
        problem = f"it cannot be reached: {said or 'it does not answer'}"
        remedy = "start it, let this user use its socket, or set DOCKER_HOST"
        return Finding(ENGINE, name, command, {"command": command}, problem, remedy)

    def _tool(self, name: str, command: Sequence[str]) -> Finding:
        code, said = self._ask(command)
        if code == 0:
            return Finding(TOOLS, name, f"{said}, {command[0]}", {"version": said, "command": list(command[:-1])})
        return Finding(TOOLS, name, command[0], {}, f"it does not work: {said}", f"install {name} again")

    def _ask(self, command: Sequence[str]) -> tuple[int, str]:
        """Exit code and last line of a program that should answer at once."""
        try:
            done = subprocess.run(
                list(command),
                env=kernel_environment(self.env, ("DOCKER_*", "CONTAINER_*")),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TOOL_SECONDS,
                check=False,
            )
        except (OSError, ValueError) as error:
            return 127, str(error)
        except subprocess.TimeoutExpired:
            return 124, f"no answer within {TOOL_SECONDS} seconds"
        text = (done.stdout.strip() or done.stderr.strip()) if done.returncode == 0 else done.stderr.strip()
        return done.returncode, text.splitlines()[-1] if text else ""

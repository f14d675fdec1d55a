"""The folder of a reproduction: what stages share, and what is kept between them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from pathlib import Path

from mlops_action.canonical import Json, pretty_bytes
from mlops_action.errors import BadValue
from mlops_action.files import write_whole
from mlops_action.formats.recorded import part
from mlops_action.frozen import frozen
from mlops_action.manifests.read import Document
from mlops_action.manifests.reproduce.levels import Check

TOOL_SOURCES = "/opt/mlops-action-sources"
"""Where a container sees our own code."""
_OF_THE_MACHINE = (
    "PATH",
    "HOME",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "UV_CACHE_DIR",
    "DOCKER_HOST",
)
_LONGEST_SECONDS = 12 * 3600
STATE_FILE = "reproduction.json"
_PASSED = (
    *("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "SYSTEMROOT"),
    *("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_CACHE_DIR", "PIP_INDEX_URL", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"),
)


@frozen
class Wishes:
    """What the user adds to the manifest."""

    source: str = ""
    """Repository to clone instead of the recorded remote."""
    data: Path | None = None
    """Folder with the data files, laid out as in the project."""
    lock: Path | None = None
    """uv.lock or pylock.toml that names the archives of the packages."""
    python: str = ""
    """Interpreter with the environment, instead of one that is made."""


@frozen
class Workplace:
    """One reproduction of one manifest in a folder of its own."""

    document: Document
    folder: Path
    env: Mapping[str, str]
    wishes: Wishes
    say: Callable[[str], None] = field(default=lambda _: None)

    @property
    def clone(self) -> Path:
        """The fresh clone."""
        return self.folder / "source"

    @cached_property
    def project(self) -> Path:
        """The project folder in the clone.

        Raises:
            BadValue: the manifest names one outside.
        """
        inner = str(part(self.document.value, "identity", "source").get("subfolder") or "")
        path = (self.clone / inner).resolve()
        if not path.is_relative_to(self.clone.resolve()):
            raise BadValue(f"the manifest's project folder `{inner}` leads out of its repository")
        return path

    @property
    def variables(self) -> dict[str, str]:
        """Variables of the programs that are started: nothing of the CI system around us."""
        passed = {name: self.env[name] for name in _PASSED if name in self.env}
        passed.setdefault("PATH", os.defpath)
        switches = part(self.document.value, "identity", "machine", "switches")
        recorded = part(self.document.value, "identity", "variables")
        extra = {str(key): str(value) for key, value in {**switches, **recorded}.items() if value is not None}
        return passed | extra

    def inside(self, image: str, command: Sequence[str | Path], at: Path | None = None, **more: str) -> tuple[int, str]:
        """Like ``run``, in a container of an image that sees this folder, the tool's sources and uv at their places.

        Args:
            image: its digest or id, or a name with a digest.
            command: what to run there.
            at: where to run it.
            more: further variables.
        """
        uv, sources = Path(uv_command()), Path(__file__).parents[2]
        seen = {name: value for name, value in self.variables.items() if name not in _OF_THE_MACHINE}
        variables = seen | {"HOME": str(self.folder), "UV_CACHE_DIR": str(self.folder / "uv-cache")} | more
        options: list[str | Path] = [
            f"--volume={self.folder}:{self.folder}",
            f"--volume={sources}:{TOOL_SOURCES}/mlops_action:ro",
        ]
        options += [f"--volume={uv}:{uv}:ro"] if uv.is_absolute() else []
        options += [f"--env={name}={value}" for name, value in variables.items()]
        if hasattr(os, "getuid"):
            options.append(f"--user={os.getuid()}:{os.getgid()}")
        where = f"--workdir={at or self.folder}"
        start = [
            engine_command(self.env),
            "run",
            "--rm",
            "--init",
            "--network=host",
            where,
            f"--entrypoint={command[0]}",
        ]
        self.say("in the image $ " + " ".join(map(str, command)))
        return self.run([*start, *options, image, *command[1:]], quiet=True)

    def run(self, command: Sequence[str | Path], at: Path | None = None, *, quiet: bool = False) -> tuple[int, str]:
        """Exit code and output of a program, which is told before unless ``quiet``; 127 when it is not there."""
        shown = [str(each) for each in command]
        if not quiet:
            self.say("$ " + " ".join(shown))
        try:
            done = subprocess.run(
                shown,
                cwd=at or self.folder,
                env=self.variables | {"GIT_TERMINAL_PROMPT": "0"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_LONGEST_SECONDS,
            )
        except FileNotFoundError:
            return 127, f"there is no `{shown[0]}`"
        except subprocess.TimeoutExpired:
            return 124, f"`{shown[0]}` did not end within {_LONGEST_SECONDS} seconds"
        return done.returncode, done.stdout.decode(errors="replace")

    def kept(self) -> dict[str, list[Check]]:
        """Checks of the stages that were done before, for this manifest."""
        try:
            state = json.loads((self.folder / STATE_FILE).read_bytes())
            if state["manifest-id"] != self.document.value["manifest-id"]:
                raise BadValue(f"{self.folder} holds the reproduction of another manifest", hint="name another `--to`")
            return {name: [Check.of(each) for each in checks] for name, checks in state["stages"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def keep(self, stages: Mapping[str, Sequence[Check]]) -> None:
        """Keep what the stages found."""
        state: Json = {
            "manifest-id": self.document.value["manifest-id"],
            "stages": {name: [each.json() for each in checks] for name, checks in stages.items()},
        }
        write_whole(self.folder / STATE_FILE, pretty_bytes(state))


def uv_command() -> str:
    """Uv beside our own interpreter, else on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv") or "uv"


def engine_command(env: Mapping[str, str]) -> str:
    """The command of the container engine."""
    found = (name for name in ("docker", "podman") if shutil.which(name, path=env.get("PATH")))
    return next(found, "docker")

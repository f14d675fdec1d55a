"""Building environments, with uv or with venv and pip."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from mlops_action.errors import EnvironmentProblem, PackagesFailed, ToolMissing
from mlops_action.facts.distributions import distributions_on
from mlops_action.frozen import frozen
from mlops_action.kernels.environment import kernel_environment
from mlops_action.kernels.environments import Environment
from mlops_action.kernels.interpreters import Interpreter, probe
from mlops_action.kernels.package_sources import Kind, Source
from mlops_action.redact import Redactor
from mlops_action.sanitize import gutter_lines, inline

PASSED = ("PIP_*", "UV_*", "*_PROXY", "*_proxy", "NETRC", "GIT_*", "SSH_AUTH_SOCK", "CC", "CXX", "CFLAGS", "LDFLAGS")
"""Variables that a builder sees besides those that a kernel does; and the secrets that are for it alone."""
_FOR_BUILDERS = re.compile(r"(PIP|UV|GIT)_\w+|SSH_AUTH_SOCK|NETRC|\w+_PROXY", re.IGNORECASE)
ELSEWHERE = {
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_DRY_RUN"),
    *(
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_PROJECT",
        "UV_PROJECT_ENVIRONMENT",
        "UV_NO_SYNC",
        "UV_BREAK_SYSTEM_PACKAGES",
    ),
    *("UV_VENV_SEED", "UV_WORKING_DIRECTORY", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME"),
}
"""Variables that would make a builder install somewhere else."""
KERNEL = "ipykernel"
_TRY = """
import sys
sys.dont_write_bytecode = False
sys.path[:] = [each for each in sys.path if each] + sys.argv[1:]
sys.modules["debugpy"] = None
from ipykernel import kernelapp
"""
"""Shows that a kernel can start, and leaves byte code that each start would make again where none may be written."""
_NO_PIP = """\
#!/bin/sh
echo 'pip: nothing can be installed into this environment, which other steps and jobs use as well;' >&2
echo 'add what the notebook needs to `packages` of its environment in mlops.yaml' >&2
exit 1
"""
"""Else ``!pip install`` in a notebook would find the next pip on PATH, and install where the notebook does not look."""
LAST_LINES = 20
LIMIT_SECONDS = 3600
HEARTBEAT_SECONDS = 30.0
_REMEDIES = (
    (r"no space left", "free disk space; `MLOPS_ACTION_CACHE` names another folder for environments"),
    (
        r"timed? ?out|connect|resolve host|dns|unreachable|certificate|\b(401|403|407|5\d\d)\b",
        "the package index cannot be used from here: look at the network, the proxy and the address of the index",
    ),
    (r"lockfile .*(needs|outdated)|not up-to-date", "run `uv lock`, and commit the lock"),
    (r"requires-python|requires python|requires a different python", "choose another Python: `environment: python:`"),
    (r"no solution|no matching distribution|not found in the package|conflict", "correct the requirements"),
)


def find_uv(env: Mapping[str, str]) -> tuple[str, ...]:
    """The command for uv: on PATH, or installed beside us; empty when there is none."""
    found = shutil.which("uv", path=env.get("PATH"))
    if found:
        return (found,)
    return (sys.executable, "-m", "uv") if importlib.util.find_spec("uv") else ()


def builder_environment(env: Mapping[str, str], allowed: Sequence[str] = ()) -> dict[str, str]:
    """What a builder sees: like a kernel, for which names are ``allowed``, and what says where packages come from."""
    named = [name for name in env if _FOR_BUILDERS.fullmatch(name)]
    seen = kernel_environment(env, (*PASSED, *named, *allowed))
    return {name: value for name, value in seen.items() if name not in ELSEWHERE}


@frozen
class Builder:
    """Builds one environment."""

    env: Mapping[str, str]
    """The process's environment."""
    uv: tuple[str, ...]
    """The command for uv; empty to build with venv and pip."""
    note: Callable[[str], None]
    allowed: tuple[str, ...] = ()
    """Names of further variables that it may see."""
    copying: bool = False
    """Whether files must not be linked to those of the builder's own cache."""

    @property
    def name(self) -> str:
        """What it builds with."""
        return "uv" if self.uv else "pip"

    def fetched(self, wanted: Interpreter) -> Interpreter:
        """The interpreter of a version that is not on PATH, which uv may know or fetch.

        Raises:
            EnvironmentProblem: it cannot be had.
        """
        hint = "install that Python, or give its path under `environment: python:`"
        if not self.uv:
            raise ToolMissing(f"there is no Python {wanted.version} on PATH", hint=f"{hint}; uv would fetch it")
        asked = ("python", "find", "--no-project", wanted.version)
        for command in (asked, ("python", "install", wanted.version), asked):
            done = subprocess.run(
                [*self.uv, *command],
                env=builder_environment(self.env, self.allowed),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            found = command is asked and done.returncode == 0
            seen = probe(done.stdout.strip(), self.env) if found else None
            if seen is not None:
                return seen
        words = inline(Redactor.from_environment(self.env).text("\n".join(done.stderr.strip().splitlines()[-3:])))
        raise EnvironmentProblem(f"there is no Python {wanted.version}: {words}", hint=hint)

    def build(self, source: Source, interpreter: Interpreter, environment: Environment, lock: int) -> None:
        """Build the environment in its folder, and ipykernel beside it where it does not hold that itself.

        Raises:
            PackagesFailed: it cannot be built.
            ToolMissing: what would build it is not installed.
        """
        run = _Run(self, source, lock)
        run.these(*self._venv(interpreter, environment))
        run.these(*self._install(source, environment), UV_PROJECT_ENVIRONMENT=str(environment.folder))
        here = distributions_on(map(str, environment.packages()))
        if not any(each.name == KERNEL for each in here):
            pins = [f"{each.name}=={each.version}\n" for each in here if not each.url]
            constraints = environment.folder / "installed.txt"
            constraints.write_text("".join(pins))
            beside = ["--target", str(environment.beside), "-c", str(constraints), KERNEL]
            run.these(*self._installer(environment), *beside)
        for folder in environment.packages():
            (folder / "__pycache__").mkdir(exist_ok=True)
        for name in ("pip", "pip3"):
            program = environment.folder / "bin" / name
            if not program.exists():
                program.write_text(_NO_PIP)
                program.chmod(0o755)
        run.these(str(environment.python), "-c", _TRY, str(environment.beside))

    def _venv(self, interpreter: Interpreter, environment: Environment) -> list[str]:
        folder = str(environment.folder)
        if self.uv:
            return [*self.uv, "venv", "--no-project", "--python", interpreter.executable, folder]
        return [interpreter.executable, "-m", "venv", "--without-pip", folder]

    def _install(self, source: Source, environment: Environment) -> list[str]:
        if source.kind is Kind.UV_LOCK:
            self._need_uv("a `uv.lock`")
            python = ["--python", str(environment.python)]
            return [*self.uv, "sync", "--locked", "--no-install-workspace", "--no-progress", *python]
        if source.kind is Kind.PYLOCK:
            self._need_uv("a `pylock.toml`")
        by_file = source.kind in {Kind.REQUIREMENTS, Kind.PYLOCK} or (source.kind is Kind.PROJECT and self.uv)
        what = ["-r", str(source.file)] if by_file else ["--", *source.items]
        if not by_file and not source.items:
            return []
        return [*self._installer(environment), *what]

    def _need_uv(self, what: str) -> None:
        if not self.uv:
            hint = "install it (`python -m pip install uv`), or name a requirements file"
            raise ToolMissing(f"{what} is installed with uv, which is not here", hint=hint)

    def _installer(self, environment: Environment) -> list[str]:
        """The command that installs into an environment, which itself holds neither uv nor pip."""
        python = ["--python", str(environment.python)]
        if self.uv:
            return [*self.uv, "pip", "install", "--no-progress", "--color", "never", *python]
        quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-warn-script-location"]
        return [*self._pip(), *python, "install", *quiet]

    def _pip(self) -> list[str]:
        if importlib.util.find_spec("pip"):
            return [sys.executable, "-m", "pip"]
        found = shutil.which("pip", path=self.env.get("PATH"))
        if found is None:
            raise ToolMissing("neither uv nor pip is here", hint="install one: `apt-get install python3-pip`, or uv")
        return [found]


class _Run:
    """Programs that build one environment."""

    def __init__(self, builder: Builder, source: Source, lock: int) -> None:
        self.builder = builder
        self.source = source
        self.lock = lock
        self.redactor = Redactor.from_environment(builder.env)
        self.env = builder_environment(builder.env, builder.allowed) | (
            {"UV_LINK_MODE": "copy"} if builder.copying else {}
        )

    def these(self, *command: str, **more: str) -> None:
        """Run one of them; nothing when there is no command.

        Raises:
            PackagesFailed: it failed; its last words are in the log and in the error.
        """
        if not command:
            return
        try:
            code, words = self._words_of(command, {**self.env, **more})
        except OSError as error:
            code, words = 127, [str(error)]
        if code:
            raise self._failed(command, code, words)

    def _words_of(self, command: Sequence[str], env: dict[str, str]) -> tuple[int, list[str]]:
        process = subprocess.Popen(
            command,
            cwd=self.source.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(self.lock,),  # were we killed, nobody else would build here while it still does
        )
        words: deque[str] = deque(maxlen=200)
        reader = threading.Thread(target=_read, args=(process, words), daemon=True)
        reader.start()
        try:
            code = self._wait(process, words)
        finally:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            reader.join(1)
        return code, list(words)

    def _wait(self, process: subprocess.Popen[bytes], words: deque[str]) -> int:
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < LIMIT_SECONDS:
            try:
                return process.wait(HEARTBEAT_SECONDS)
            except subprocess.TimeoutExpired:
                last = inline(self.redactor.text(words[-1])) if words else "nothing said yet"
                self.builder.note(f"  still building, {passed + HEARTBEAT_SECONDS:.0f} s: {last}")
        words.append(f"not ready after {LIMIT_SECONDS} seconds")
        return 124

    def _failed(self, command: Sequence[str], code: int, words: list[str]) -> PackagesFailed:
        said = [self.redactor.text(line) for line in words if line.strip()][-LAST_LINES:]
        for line in gutter_lines("\n".join(said)) if said else ():
            self.builder.note(line)
        shown = inline(self.redactor.text(shlex.join(command)))
        ended = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
        last = inline(" ".join(line.strip() for line in said[-6:])) or "it said nothing"
        hint = next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, last, re.IGNORECASE)), "")
        return PackagesFailed(
            f"the environment of {inline(self.source.label)} cannot be built: `{shown}` {ended}: {last}",
            hint=hint or "run that command yourself to see all of it, and correct the requirements",
        )


def _read(process: subprocess.Popen[bytes], words: deque[str]) -> None:
    stream = process.stdout
    if stream is not None:
        with suppress(OSError, ValueError):
            for line in stream:
                words.append(line.decode(errors="replace").rstrip())

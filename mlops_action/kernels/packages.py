"""Kernels in an environment that is built for them and kept in the cache."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from mlops_action.canonical import Json, digest_of
from mlops_action.errors import EnvironmentProblem, KernelMissing
from mlops_action.files import owner_for
from mlops_action.kernels.builders import Builder, builder_environment, find_uv
from mlops_action.kernels.environments import FORMAT, Environment, EnvironmentCache
from mlops_action.kernels.existing import literal
from mlops_action.kernels.host import HostKernel, HostKernels
from mlops_action.kernels.interface import Launch, Place
from mlops_action.kernels.interpreters import Interpreter, find_interpreter
from mlops_action.kernels.launcher import BESIDE
from mlops_action.kernels.package_sources import Source, read_source
from mlops_action.kernels.specs import DEFAULT_KERNEL
from mlops_action.records import KernelChoice
from mlops_action.redact import strip_user_info
from mlops_action.sanitize import inline
from mlops_action.stores.cache import cache_folder

FOLDER = "environments"
_DECIDING = re.compile(
    r"(PIP|UV)_(INDEX|DEFAULT_INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CONSTRAINTS?|OVERRIDE|PRE|PRERELEASE"
    r"|RESOLUTION|EXCLUDE_NEWER|TORCH_BACKEND|INDEX_STRATEGY|NO_BINARY|ONLY_BINARY|NO_DEV|CONFIG_FILE)"
)
"""Variables that decide which packages a builder chooses."""


class PackagesKernels:
    """Backend for kernels of an environment that is built from ``packages``.

    Kernels of other languages are those of the machine, with the environment's programs first on
    their PATH.
    """

    def __init__(self, place: Place, uv: Sequence[str] | None = None) -> None:
        """Build in the cache of ``place``.

        Args:
            place: what to build from.
            uv: the command for uv, empty to do without it; it is looked for when it is left out.
        """
        self.place = place
        self.host = HostKernels(replace(place, spec=replace(place.spec, python="")))
        self.cache = EnvironmentCache(cache_folder(place.root, place.env) / FOLDER, owner_for(place.root))
        self._uv = uv

    @cached_property
    def source(self) -> Source:
        """What is installed."""
        return read_source(self.place.spec.packages, self.place.root)

    @cached_property
    def interpreter(self) -> Interpreter:
        """What it is installed for."""
        return find_interpreter(self.place.spec.python, self.place.root, self.place.env)

    @property
    def environment(self) -> Environment:
        """Where it is installed, now or later."""
        return self.cache.at(self._key(self.interpreter))

    def find(self, name: str) -> KernelChoice:
        """The kernel of that name; nothing is built.

        Raises:
            KernelMissing: there is none.
            FileMissing: the file of packages is not there.
            BadValue: packages cannot be read from what is named.
        """
        if name == DEFAULT_KERNEL:
            return self._placed(KernelChoice(name, "", "python", ()))
        missing = KernelMissing(
            f"the environment of {inline(self.source.label)} has no kernel `{name}`",
            hint=f"its Python is `kernel: {DEFAULT_KERNEL}`; kernels of other languages are those that are installed",
        )
        try:
            found = self.host.find(name)
        except KernelMissing:
            raise missing from None
        if found.language.lower() == "python":
            raise missing
        return self._placed(found)

    def prepare(self, choice: KernelChoice, note: Callable[[str], None]) -> KernelChoice:
        """Build the environment, unless it is in the cache.

        Raises:
            EnvironmentProblem: it cannot be built.
        """
        env, allowed = self.place.env, self.place.spec.pass_
        uv = find_uv(env) if self._uv is None else tuple(self._uv)
        builder = Builder(env, uv, note, allowed, copying=bool(self.cache.owner))
        if not self.interpreter.executable:
            self.interpreter = builder.fetched(self.interpreter)
        environment = self.environment
        if not self.cache.hold(environment):
            self._build(builder, environment)
            self.cache.prune()
        self.cache.prune_now_and_then()
        return self._placed(choice)

    def start(self, launch: Launch) -> HostKernel:
        """Start the process of a kernel.

        Raises:
            KernelStartFailed: the operating system could not.
        """
        return self.host.start(launch)

    def state(self, choice: KernelChoice) -> str:
        """Whether anything is to be built, in words."""
        del choice
        if self.environment.whole():
            return "cached"
        python = self.interpreter
        return "would be built" if python.executable else f"would be built; Python {python.version} is not on PATH"

    def _build(self, builder: Builder, environment: Environment) -> None:
        label, version = inline(self.source.label), self.interpreter.version

        def make(lock: int) -> dict[str, Json]:
            builder.note(f"Building the environment of {label} with {builder.name} for Python {version}")
            begun = time.monotonic()
            builder.build(self.source, self.interpreter, environment, lock)
            builder.note(f"Built it in {time.monotonic() - begun:.1f} s")
            return {"format": FORMAT, "packages": self.source.told, "digest": self.source.digest, "python": version}

        def waiting() -> None:
            builder.note(f"Waiting for another process that builds or uses the environment of {label}")

        try:
            self.cache.build(environment, make, waiting)
        except OSError as error:
            raise EnvironmentProblem(
                f"the environment of {label} cannot be kept: {error.strerror or error}",
                origin=str(environment.folder),
                hint="free disk space, or name another folder with `MLOPS_ACTION_CACHE`",
            ) from error

    def _placed(self, choice: KernelChoice) -> KernelChoice:
        """The choice with where it runs; its command is known before anything is built."""
        environment, source = self.environment, self.source
        folder = literal(str(environment.folder))
        own = choice.language == "python"
        at = {"VIRTUAL_ENV": folder, "PATH": f"{folder}/bin:${{PATH}}"}
        beside = {BESIDE: literal(str(environment.beside))} if own else {}
        started = replace(
            choice,
            spec_dir=str(environment.folder),
            argv=(str(environment.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"),
            display_name=f"Python {self.interpreter.version}",
        )
        return replace(
            started if own else choice,
            env={**choice.env, **at, **beside},
            place={"source": source.told, "digest": source.digest, "interpreter": self.interpreter.version},
        )

    def _key(self, interpreter: Interpreter) -> str:
        env = builder_environment(self.place.env)
        deciding = {name: strip_user_info(value) for name, value in env.items() if _DECIDING.fullmatch(name)}
        found = [interpreter.implementation, interpreter.version, interpreter.build, interpreter.real_path]
        parts = [FORMAT, self.source.digest, list(self.source.places), deciding, found]
        return digest_of(parts).removeprefix("sha256:")[:32]

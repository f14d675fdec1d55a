"""Kernels and the environments of a configuration."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mlops_action.diagnosis.findings import Finding, of_error
from mlops_action.errors import MlopsError
from mlops_action.frozen import frozen
from mlops_action.kernels import BACKENDS
from mlops_action.kernels.environment import kernel_environment
from mlops_action.kernels.host import HostKernels
from mlops_action.kernels.interface import KernelStarter, Launch, Place
from mlops_action.kernels.places import DEFAULT, Places, kind_of
from mlops_action.kernels.specs import DEFAULT_KERNEL
from mlops_action.records import KernelChoice, StepLimits

KERNELS, ENVIRONMENTS = "kernels", "environments"
START_SECONDS = 60
CACHED = "cached"
_CODE = {"python": "1 + 1", "r": "1 + 1", "julia": "1 + 1", "javascript": "1 + 1", "bash": "echo 2"}
"""Code that a kernel answers at once; in other languages none is run, only the kernel's start is waited for."""


@frozen
class KernelExaminer:
    """Looks at kernels, and starts them where it is asked to."""

    places: Places
    used: Mapping[str, KernelChoice]
    """Kernels that the steps run in, by label."""
    wanted: frozenset[str]
    """Environments that steps run in."""
    start: bool = False

    def kernels(self) -> Iterator[Finding]:
        """Every kernel that is registered with Jupyter on this machine."""
        usual = self.places.specs[DEFAULT]
        python = usual.python if kind_of(usual) == "host" else ""
        host = HostKernels(Place(replace(usual, python=python), self.places.root, self.places.env))
        needed = {each.name for each in self.used.values() if each.where == "host" and not each.environment}
        try:
            names = host.finder.names()
        except MlopsError as error:
            yield of_error(KERNELS, DEFAULT_KERNEL, error, needed=bool(needed))
            return
        for name in names:
            try:
                yield self._kernel(host, host.find(name), needed=name in needed)
            except MlopsError as error:
                yield of_error(KERNELS, name, error, needed=name in needed)
        if not names:
            remedy = "`python -m pip install ipykernel` in the environment that the notebooks need"
            yield Finding(KERNELS, "none", "", {}, "no kernel is registered with Jupyter here", remedy)

    def environments(self) -> Iterator[Finding]:
        """Every environment of the configuration."""
        for name, spec in self.places.specs.items():
            kind, needed = kind_of(spec), name in self.wanted
            base = Finding(ENVIRONMENTS, name or "(default)", kind, {"kind": kind}, needed=needed)
            if kind not in BACKENDS:
                yield replace(base, problem=f"this version has no kernels of the kind `{kind}`", remedy="update it")
                continue
            try:
                yield self._environment(base, name, spec.kernel or DEFAULT_KERNEL)
            except MlopsError as error:
                yield replace(base, problem=error.message, remedy=error.hint)

    def _environment(self, base: Finding, environment: str, kernel: str) -> Finding:
        used = (choice for choice in self.used.values() if choice.environment == environment)
        choice = next(used, None) or self.places.find(kernel, environment)
        state = self.places.state(choice)
        parts = {"place": choice.place, "state": state} if choice.place or state else {}
        said = [base.said, *self._made_of(choice, environment), state]
        found = replace(base, said=", ".join(part for part in said if part))
        found = replace(found, details={**found.details, "kernel": choice.name, "command": list(choice.argv), **parts})
        if not self.start or state not in {"", CACHED} or (choice.where == "host" and not environment):
            return found
        ready = self.places.prepare(choice, lambda _: None)
        return self._started(found, self.places, replace(ready, environment=environment, where=choice.where))

    def _made_of(self, choice: KernelChoice, environment: str) -> Iterator[str]:
        """What people should know of a place, in a few words."""
        container = self.places.specs[environment].container
        source = choice.place.get("source") or (container.image if container else "")
        if source:
            yield ", ".join(source) if isinstance(source, list) else str(source)
        if choice.place.get("interpreter"):
            yield f"Python {choice.place['interpreter']}"

    def _kernel(self, host: HostKernels, choice: KernelChoice, *, needed: bool) -> Finding:
        program = choice.argv[0] if choice.argv else ""
        details = {
            "language": choice.language,
            "display-name": choice.display_name,
            "command": list(choice.argv),
            "spec-dir": choice.spec_dir,
        }
        said = f"{choice.display_name} ({choice.language or 'language not named'}), {program}"
        found = Finding(KERNELS, choice.name, said, details, needed=needed)
        if not program or shutil.which(program, path=self.places.env.get("PATH")) is None:
            problem = f"its command `{program}` does not exist" if program else "its kernel.json names no command"
            remedy = f"install the kernel again, or remove {choice.spec_dir}"
            return replace(found, problem=problem, remedy=remedy)
        return self._started(found, host, choice) if self.start else found

    def _started(self, found: Finding, starter: KernelStarter, choice: KernelChoice) -> Finding:
        """With how the kernel answered."""
        from nbformat.v4 import new_code_cell, new_notebook

        from mlops_action.kernels.execution import Hooks, NotebookRun
        from mlops_action.kernels.interrupt import Interrupt

        begun = time.monotonic()
        spec = self.places.specs[choice.environment]
        seen = kernel_environment(self.places.env, spec.pass_, spec.set)
        launch = Launch(choice, self.places.root, seen)
        limits = StepLimits(timeout_seconds=START_SECONDS, start_timeout_seconds=START_SECONDS)
        run = NotebookRun(starter, {"": launch}, limits, Hooks(lambda _: None), Interrupt())
        notebook = new_notebook(cells=[new_code_cell(_CODE.get(choice.language.lower(), ""))])
        try:
            ended = asyncio.run(run.run(notebook, [0]))
        except MlopsError as error:
            return replace(found, problem=f"it does not start: {error.message}", remedy=error.hint)
        if ended.failure is not None:
            return replace(found, problem=f"it does not work: {ended.failure.message}", remedy=ended.failure.hint)
        seconds = round(time.monotonic() - begun, 2)
        return replace(
            found, said=f"{found.said}; answered in {seconds} s", details={**found.details, "answered-in": seconds}
        )

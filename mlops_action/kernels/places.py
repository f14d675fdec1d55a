"""All places of a configuration: which backend a kernel belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from mlops_action.config.model import EnvironmentSpec
from mlops_action.frozen import frozen
from mlops_action.kernels import BACKENDS
from mlops_action.kernels.environment import kernel_environment
from mlops_action.kernels.interface import KernelBackend, KernelProcess, Launch, Place
from mlops_action.records import KernelChoice
from mlops_action.registry import load_from


class KernelFinding(Protocol):
    """Knows the kernels of all environments."""

    def find(self, name: str, environment: str = "") -> KernelChoice:
        """The kernel of that name in an environment.

        Raises:
            KernelMissing: there is none; the message lists those that there are.
        """


@runtime_checkable
class TellsState(Protocol):
    """A backend whose places are made before they are used, and kept."""

    def state(self, choice: KernelChoice) -> str:
        """Whether ``prepare`` has anything to do, in words: ``cached``, ``would be built``; nothing slow is done."""


DEFAULT = ""
"""Name of the environment that steps run in unless they say otherwise."""


@frozen
class Places:
    """Kernels of every environment, by its name; each backend is made when it is first needed."""

    specs: Mapping[str, EnvironmentSpec]
    root: Path
    env: Mapping[str, str]
    _backends: dict[str, KernelBackend] = field(default_factory=dict)

    def find(self, name: str, environment: str = DEFAULT) -> KernelChoice:
        """The kernel of that name; see ``KernelBackend``."""
        kind = kind_of(self.specs[environment])
        return replace(self._backend(environment).find(name), environment=environment, where=kind)

    def prepare(self, choice: KernelChoice, note: Callable[[str], None]) -> KernelChoice:
        """Make its place; see ``KernelBackend``."""
        return self._backend(choice.environment).prepare(choice, note)

    def state(self, choice: KernelChoice) -> str:
        """What is there of its place already, in words; empty where there is nothing to make."""
        backend = self._backend(choice.environment)
        return backend.state(choice) if isinstance(backend, TellsState) else ""

    def start(self, launch: Launch) -> KernelProcess:
        """Start a kernel; see ``KernelBackend``."""
        return self._backend(launch.choice.environment).start(launch)

    def variables(self, further: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
        """What kernels see of the process's environment, by the name of their environment.

        Args:
            further: names that are passed on besides those of the configuration.
        """
        return {
            name: kernel_environment(self.env, (*spec.pass_, *further), spec.set) for name, spec in self.specs.items()
        }

    def _backend(self, environment: str) -> KernelBackend:
        if environment not in self._backends:
            spec = self.specs[environment]
            make = load_from(BACKENDS, kind_of(spec))
            self._backends[environment] = make(Place(spec, self.root, self.env))
        return self._backends[environment]


def kind_of(spec: EnvironmentSpec) -> str:
    """Name of the backend for an environment."""
    if spec.container is not None:
        return "container"
    if spec.gateway is not None:
        return "gateway"
    if spec.warm:
        return "warm"
    return "packages" if spec.packages else "host"

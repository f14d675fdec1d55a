"""The contract of a fact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mlops_action.config.model import ManifestSpec
from mlops_action.context import Context
from mlops_action.frozen import frozen
from mlops_action.records import Fact, Plan
from mlops_action.redact import Redactor


@frozen
class Scene:
    """What a collector may look at."""

    context: Context
    plan: Plan
    spec: ManifestSpec
    redactor: Redactor
    keep: Callable[[str, bytes], str] | None = None
    """Keeps a file beside the manifest, by its name; without it there are no such files."""

    @property
    def root(self) -> Path:
        """The project folder."""
        return self.context.cwd / self.plan.root


class Collector(Protocol):
    """Collects one fact before the first step runs.

    Laws, tested for every collector: the same scene gives the same identity, wherever the
    project folder lies and in whatever order the file system lists it; no secret enters;
    what cannot be had becomes an ``Uncaptured`` entry with the reason, never an exception
    and never a silent gap.
    """

    def collect(self, scene: Scene) -> Fact:
        """Collect the fact. ``Fact.name`` is the name that it is registered under."""

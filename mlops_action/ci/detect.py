"""Which CI system the process runs in."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.ci import CI_SYSTEMS
from mlops_action.ci.interface import CiSystem
from mlops_action.registry import load


def detect(env: Mapping[str, str]) -> CiSystem:
    """The first registered system that is present; the generic one is last and always is."""
    for entry in CI_SYSTEMS.values():
        system: CiSystem = load(entry)()
        if system.present(env):
            return system
    raise LookupError("the generic system must be registered last")

"""The contract of a CI system's adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from mlops_action.context import Context
from mlops_action.records import Emissions


class CiSystem(Protocol):
    """Puts what we have to say into the form that a CI system understands.

    Laws, tested for every system: whatever text an emission holds, exactly our own
    commands reach the system and no other; what the system refuses to take (no permission,
    too large) never changes the verdict.
    """

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the process runs in this system."""

    def workspace(self, env: Mapping[str, str]) -> str:
        """The folder of the checkout, which paths in annotations are relative to; empty when unknown."""

    def open_group(self, title: str) -> list[str]:
        """Lines that begin a foldable part of the log and fence in foreign text."""

    def close_group(self) -> list[str]:
        """Lines that end what ``open_group`` began."""

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Hand over annotations (at most ``limit`` of a level), summary and outputs.

        Returns:
            Lines for the log.
        """


@runtime_checkable
class MasksSecrets(Protocol):
    """A CI system that can be asked to mask a text in whatever is printed from then on."""

    def mask(self, secret: str) -> str:
        """The line for the log that asks for it; the system does not show the line's text."""

"""The contract of a report format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mlops_action.records import Manifest, RunResult, Verdicts


@dataclass(frozen=True)
class Account:
    """Everything that a report tells; parts that were not made are None."""

    run: RunResult | None
    verdicts: Verdicts | None
    manifest: Manifest | None


class ReportFormat(Protocol):
    """Renders an account.

    Laws, tested for every format: the same account gives the same bytes; foreign text in
    it cannot break out of its place; a failed step, its place and its error are in it.
    """

    def render(self, account: Account) -> bytes:
        """The file's bytes."""

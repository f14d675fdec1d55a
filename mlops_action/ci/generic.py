"""Plain logs: a terminal, and every CI system without an adapter of its own."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.context import Context
from mlops_action.records import Emissions


class Generic:
    """Nothing but lines of text; the results are in the output folder."""

    def present(self, env: Mapping[str, str]) -> bool:
        """Always."""
        del env
        return True

    def open_group(self, title: str) -> list[str]:
        """The title."""
        return ["", title]

    def close_group(self) -> list[str]:
        """Nothing."""
        return []

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Nothing: the log has it all, and the files are in the output folder."""
        del emissions, context, limit
        return []

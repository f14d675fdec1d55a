"""Systems whose log is plain text: what they share."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_action.context import Context
from mlops_action.records import Emissions
from mlops_action.sanitize import inline


class PlainLog:
    """Nothing but lines of text; what the system shows besides, it reads from the output folder."""

    def workspace(self, env: Mapping[str, str]) -> str:
        """Unknown."""
        del env
        return ""

    def open_group(self, title: str) -> list[str]:
        """The title."""
        return ["", inline(title)]

    def close_group(self) -> list[str]:
        """Nothing."""
        return []

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Nothing: the log has it all, and the files are in the output folder."""
        del emissions, context, limit
        return []

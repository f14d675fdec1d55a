"""Tekton: a plain log, and small results in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops_action.ci.plain import PlainLog
from mlops_action.context import Context
from mlops_action.records import Emissions

RESULTS = ("verdict", "manifest-id")
"""All results of a task share some 3 kB: only what is short."""


class Tekton(PlainLog):
    """Recognised by the variable that its task sets to the folder of results."""

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the task says where its results go."""
        return "TEKTON_RESULTS" in env

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Write the results; those that the task does not declare are ignored by Tekton."""
        del limit
        folder, outputs = Path(context.env["TEKTON_RESULTS"]), dict(emissions.outputs)
        lines = []
        for name in RESULTS:
            try:
                if name in outputs:
                    (folder / name).write_text(outputs[name])
            except OSError as error:
                lines.append(f"cannot write {folder / name}: {error.strerror}")
        return lines

"""Buildkite: groups in the log; the summary as an annotation, through its agent."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

from mlops_action.ci.plain import PlainLog
from mlops_action.context import Context
from mlops_action.records import Emissions
from mlops_action.sanitize import inline

ANNOTATION_BYTES = 900 * 1024
"""The agent refuses more than 1 MiB."""
AGENT_SECONDS = 30


class Buildkite(PlainLog):
    """A line that begins with ``---`` begins a group; the gutter keeps foreign lines from doing so."""

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the agent says so."""
        return env.get("BUILDKITE") == "true"

    def workspace(self, env: Mapping[str, str]) -> str:
        """The checkout."""
        return env.get("BUILDKITE_BUILD_CHECKOUT_PATH", "")

    def open_group(self, title: str) -> list[str]:
        """A group that is open when it holds an error."""
        return [f"--- {inline(title)}"]

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Show the summary on the build's page, and keep the verdict as meta-data."""
        del limit
        agent = shutil.which("buildkite-agent", path=context.env.get("PATH"))
        if agent is None:
            return ["buildkite-agent is not on PATH: the summary is in the report only"]
        bad = any(each.level == "error" for each in emissions.annotations)
        style = "error" if bad else "success"
        summary = emissions.summary.encode()[:ANNOTATION_BYTES].decode(errors="ignore")
        verdict = dict(emissions.outputs).get("verdict", "")
        calls = [
            ([agent, "annotate", "--context", "mlops-action", "--style", style], summary),
            ([agent, "meta-data", "set", "mlops-verdict", verdict], ""),
        ]
        return [line for command, text in calls if text or verdict for line in _call(command, text, context)]


def _call(command: list[str], text: str, context: Context) -> list[str]:
    """Run the agent; a refusal is said and changes nothing."""
    try:
        done = subprocess.run(
            command,
            input=text,
            env=dict(context.env),
            capture_output=True,
            text=True,
            check=False,
            timeout=AGENT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"buildkite-agent {command[1]} did not work: {inline(str(error))}"]
    if done.returncode:
        return [f"buildkite-agent {command[1]} ended with {done.returncode}: {inline(done.stderr)[:500]}"]
    return []

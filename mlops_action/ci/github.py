"""GitHub Actions: workflow commands on standard output, and the files that it names."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from mlops_action.ci.budget import within
from mlops_action.context import Context
from mlops_action.records import Annotation, Emissions
from mlops_action.sanitize import harmless, inline

SUMMARY_BYTES = 900 * 1024
"""GitHub drops a summary above 1 MiB without a word; we cut ours, with a count, well before."""
MESSAGE_CHARACTERS = 3500
LEVELS = ("error", "warning", "notice")


class GitHub:
    """Groups, annotations, step summary and outputs."""

    def __init__(self) -> None:
        """Choose the token that ends this process's fences; a notebook cannot know it."""
        self.token = secrets.token_hex(16)

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the runner says so."""
        return env.get("GITHUB_ACTIONS") == "true"

    def workspace(self, env: Mapping[str, str]) -> str:
        """The checkout."""
        return env.get("GITHUB_WORKSPACE", "")

    def open_group(self, title: str) -> list[str]:
        """A group in which no workflow command counts."""
        return [f"::group::{_data(inline(title))}", f"::stop-commands::{self.token}"]

    def close_group(self) -> list[str]:
        """Commands count again."""
        return [f"::{self.token}::", "::endgroup::"]

    def mask(self, secret: str) -> str:
        """The runner masks the text, and each of its lines."""
        return f"::add-mask::{_data(secret)}"

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Write the summary and output files; the annotations are lines for the log."""
        lines = [line for level in LEVELS for line in _annotations(emissions.annotations, level, limit)]
        summary, output = context.env.get("GITHUB_STEP_SUMMARY"), context.env.get("GITHUB_OUTPUT")
        for path, data in ((summary, _cut(emissions.summary)), (output, outputs_text(emissions.outputs))):
            if path and data:
                try:
                    with Path(path).open("a", encoding="utf-8", errors="replace") as handle:
                        handle.write(data)
                except OSError as error:
                    lines.append(f"::warning title=mlops-action::{_data(f'cannot write {path}: {error.strerror}')}")
        return lines


def outputs_text(outputs: tuple[tuple[str, str], ...]) -> str:
    """Outputs as GitHub reads them: each value between delimiters that nobody can guess.

    Raises:
        ValueError: a value holds its own delimiter, which chance does not bring about.
    """
    blocks = []
    for name, value in outputs:
        delimiter = f"ghadelimiter_{secrets.token_hex(16)}"
        if delimiter in value or delimiter in name:
            raise ValueError(f"the output `{name}` holds its own delimiter")
        blocks.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
    return "".join(blocks)


def _annotations(annotations: tuple[Annotation, ...], level: str, limit: int) -> list[str]:
    shown, more = within(annotations, level, limit)
    lines = [_command(each) for each in shown]
    if more:
        lines.append(f"::{level} title=mlops-action::and {more} more, see the report")
    return lines


def _command(annotation: Annotation) -> str:
    properties = {"file": annotation.path, "line": str(annotation.line or ""), "title": annotation.title}
    written = ",".join(f"{name}={_property(inline(value))}" for name, value in properties.items() if value)
    return f"::{annotation.level} {written}::{_data(_multiline(annotation.message)[:MESSAGE_CHARACTERS])}"


def _multiline(text: str) -> str:
    return "\n".join(harmless(line) for line in text.splitlines())


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cut(summary: str) -> str:
    """The summary within its budget: whole lines, and a count of those left out."""
    lines = summary.splitlines()
    size = 0
    for count, line in enumerate(lines):
        size += len(line.encode()) + 1
        if size > SUMMARY_BYTES:
            return "\n".join(lines[:count]) + f"\n\n… {len(lines) - count} more lines are in the report file.\n"
    return summary

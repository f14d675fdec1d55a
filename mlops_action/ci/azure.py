"""Azure Pipelines: logging commands on standard output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops_action.ci.budget import within
from mlops_action.ci.plain import PlainLog
from mlops_action.context import Context
from mlops_action.records import Annotation, Emissions
from mlops_action.sanitize import harmless, inline

LEVELS = ("error", "warning")
"""Azure knows no notices."""


class Azure(PlainLog):
    """Groups, issues, variables for later steps, and the summary on the run's page."""

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the agent says so."""
        return env.get("TF_BUILD", "").lower() == "true"

    def workspace(self, env: Mapping[str, str]) -> str:
        """The checkout."""
        return env.get("BUILD_SOURCESDIRECTORY", "")

    def open_group(self, title: str) -> list[str]:
        """A group; inside, the gutter and the sanitiser keep foreign text from being a command."""
        return [f"##[group]{inline(title)}"]

    def close_group(self) -> list[str]:
        """The group ends."""
        return ["##[endgroup]"]

    def mask(self, secret: str) -> str:
        """The agent masks the text."""
        return f"##vso[task.setsecret]{_data(secret)}"

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Issues, one output variable for each output, and the report as summary."""
        issues = [line for level in LEVELS for line in _issues(emissions.annotations, level, limit)]
        outputs = [
            f"##vso[task.setvariable variable={_property(name)};isOutput=true]{_data(inline(value))}"
            for name, value in emissions.outputs
        ]
        report = dict(emissions.outputs).get("report")
        where = Path(self.workspace(context.env) or context.cwd, report or "")
        summary = [f"##vso[task.uploadsummary]{_data(str(where))}"] if report and emissions.summary else []
        return [*issues, *outputs, *summary]


def _issues(annotations: tuple[Annotation, ...], level: str, limit: int) -> list[str]:
    shown, more = within(annotations, level, limit)
    lines = [_issue(each) for each in shown]
    if more:
        lines.append(f"##vso[task.logissue type={level}]and {more} more, see the report")
    return lines


def _issue(annotation: Annotation) -> str:
    properties = {"sourcepath": annotation.path, "linenumber": str(annotation.line or "")}
    written = "".join(f"{name}={_property(inline(value))};" for name, value in properties.items() if value)
    said = "\n".join(harmless(line) for line in [inline(annotation.title), *annotation.message.splitlines()])
    return f"##vso[task.logissue type={annotation.level};{written}]{_data(said)}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")

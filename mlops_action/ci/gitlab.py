"""GitLab CI: sections in the log, and links from the job's page to the reports."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from mlops_action.ci.plain import PlainLog
from mlops_action.context import Context
from mlops_action.records import Emissions
from mlops_action.sanitize import inline

ANNOTATIONS = "gitlab-annotations.json"
_LINKS = {"report-html": "Report", "manifest": "Manifest"}


class GitLab(PlainLog):
    """The other reports of GitLab (JUnit, metrics, code quality, SARIF, dotenv) are files of every run."""

    def __init__(self) -> None:
        """Choose a name for this process's sections that no notebook can know."""
        self.token = secrets.token_hex(8)
        self.count = 0

    def present(self, env: Mapping[str, str]) -> bool:
        """Whether the runner says so."""
        return env.get("GITLAB_CI") == "true"

    def workspace(self, env: Mapping[str, str]) -> str:
        """The checkout."""
        return env.get("CI_PROJECT_DIR", "")

    def open_group(self, title: str) -> list[str]:
        """A section that can be folded; its time is for people, no result depends on it."""
        self.count += 1
        return ["", f"\x1b[0Ksection_start:{int(time.time())}:{self._section()}\r\x1b[0K{inline(title)}"]

    def close_group(self) -> list[str]:
        """The section ends."""
        return [f"\x1b[0Ksection_end:{int(time.time())}:{self._section()}\r\x1b[0K"]

    def publish(self, emissions: Emissions, context: Context, limit: int) -> list[str]:
        """Write the links for ``artifacts:reports:annotations`` beside the reports."""
        del limit
        outputs, job = dict(emissions.outputs), context.env.get("CI_JOB_URL", "")
        folder = PurePosixPath(outputs.get("report", "")).parent
        if not job.startswith("https://") or "report" not in outputs:
            return []
        links = [
            {"external_link": {"label": label, "url": f"{job}/artifacts/file/{quote(outputs[name])}"}}
            for name, label in _LINKS.items()
            if name in outputs
        ]
        path = Path(self.workspace(context.env) or context.cwd, folder, ANNOTATIONS)
        try:
            path.write_text(json.dumps({"mlops-action": links}, indent=1) + "\n")
        except OSError as error:
            return [f"cannot write {path}: {error.strerror}"]
        return []

    def _section(self) -> str:
        return f"mlops_{self.token}_{self.count}"

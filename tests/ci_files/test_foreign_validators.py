"""Action and workflow files, looked at by tools that nobody here wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EXAMPLES = ROOT / "workflows-examples"
CHECKED = [
    *((path, "vendor.github-actions") for path in (ROOT / "action.yml", ROOT / "container" / "action.yml")),
    *((path, "vendor.github-workflows") for path in sorted(EXAMPLES.glob("github-*.yml"))),
    *((path, "vendor.gitlab-ci") for path in sorted(EXAMPLES.glob("gitlab-*.yml"))),
]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("path", "schema"), CHECKED, ids=lambda each: getattr(each, "name", str(each)))
def test_the_published_schema_of_the_ci_system_accepts_the_file(path: Path, schema: str) -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", schema, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_example_of_github_and_gitlab_is_checked() -> None:
    assert {path for path, _ in CHECKED} >= set(EXAMPLES.glob("*.yml"))


@pytest.mark.parametrize("path", [path for path, schema in CHECKED if "github" in schema], ids=lambda path: path.name)
def test_zizmor_finds_no_weakness_in_actions_and_workflows(path: Path) -> None:
    command = [BIN / "zizmor", "--offline", "--persona", "auditor", "--no-progress"]
    command += ["--config", ROOT / "zizmor.yml", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

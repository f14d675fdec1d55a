"""Action and workflow files, looked at by tools that nobody here wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EXAMPLES = ROOT / "workflows-examples"
ACTIONS = (ROOT / "action.yml", *sorted(ROOT.glob("*/action.yml")))
CHECKED = [
    *((path, "vendor.github-actions") for path in ACTIONS),
    *((path, "vendor.github-workflows") for path in sorted(EXAMPLES.glob("github-*.yml"))),
    *((path, "vendor.gitlab-ci") for path in sorted(EXAMPLES.glob("gitlab-*.yml"))),
    (EXAMPLES / "azure-pipelines.yml", "vendor.azure-pipelines"),
    (EXAMPLES / "bitbucket-pipelines.yml", "vendor.bitbucket-pipelines"),
    (EXAMPLES / "buildkite.yml", "vendor.buildkite"),
    (EXAMPLES / "circleci.yml", "vendor.circle-ci"),
]
WITHOUT_SCHEMA = {EXAMPLES / "tekton-task.yml"}
"""No schema of these is to be had; they are read as YAML, and their folder of results is tested."""

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("path", "schema"), CHECKED, ids=lambda each: getattr(each, "name", str(each)))
def test_the_published_schema_of_the_ci_system_accepts_the_file(path: Path, schema: str) -> None:
    regex = ["--regex-variant", "python"] if "azure" in schema else []
    command = [BIN / "check-jsonschema", *regex, "--builtin-schema", schema, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_example_in_yaml_is_checked() -> None:
    assert {path for path, _ in CHECKED} | WITHOUT_SCHEMA == {*EXAMPLES.glob("*.yml"), *ACTIONS}


@pytest.mark.parametrize("path", [path for path, schema in CHECKED if "github" in schema], ids=lambda path: path.name)
def test_zizmor_finds_no_weakness_in_actions_and_workflows(path: Path) -> None:
    command = [BIN / "zizmor", "--offline", "--persona", "auditor", "--no-progress"]
    command += ["--config", ROOT / "zizmor.yml", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

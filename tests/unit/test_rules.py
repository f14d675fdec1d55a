"""What a step must hold beyond the types of its values."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_action.config.load import load_config
from mlops_action.errors import MlopsError, Problems


def problems(tmp_path: Path, step: str) -> list[MlopsError]:
    path = tmp_path / "mlops.yaml"
    path.write_text(f"steps:\n  train:\n{step}\ngates: none\n")
    try:
        load_config(path)
    except Problems as found:
        return list(found.problems)
    return []


@pytest.mark.parametrize("step", ["    notebook: a.ipynb", "    code: 'x = 1'", "    file: a.R"])
def test_a_step_is_a_notebook_or_a_snippet_or_a_code_file(tmp_path: Path, step: str) -> None:
    assert problems(tmp_path, step) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("    kernel: ir", "no `notebook`, no `code` and no `file`"),
        ("    notebook: a.ipynb\n    file: a.R", "`notebook` and `file`"),
        ("    code: x\n    file: a.R", "`code` and `file`"),
        ("    notebook: a.ipynb\n    code: x\n    file: a.R", "`notebook` and `code` and `file`"),
    ],
)
def test_a_step_that_is_none_or_several_of_them_is_refused(tmp_path: Path, step: str, said: str) -> None:
    (error,) = problems(tmp_path, step)
    assert said in error.message
    assert "exactly one" in error.hint


@pytest.mark.parametrize("step", ["    code: x\n    cells: {names: [a]}", "    file: a.R\n    cells: {matching: a}"])
def test_cells_are_chosen_in_notebooks_only(tmp_path: Path, step: str) -> None:
    (error,) = problems(tmp_path, step)
    assert "only notebooks" in error.message
    assert error.origin == "mlops.yaml:4:5"


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "a{2,1}", "(?P<x>a)(?P<x>b)", "a\\"])
def test_a_bad_regular_expression_is_told_with_its_place(tmp_path: Path, pattern: str) -> None:
    (error,) = problems(tmp_path, f"    notebook: a.ipynb\n    cells:\n      matching: '{pattern}'")
    assert "is no regular expression" in error.message
    assert error.origin == "mlops.yaml:5:7"


def test_a_bad_pattern_of_what_to_ignore_is_told_with_its_place(tmp_path: Path) -> None:
    (error,) = problems(tmp_path, "    notebook: a.ipynb\n    compare:\n      ignore: ['ok', '(']")
    assert "`(` is no regular expression" in error.message
    assert error.origin.startswith("mlops.yaml:5:")


@pytest.mark.parametrize("index", ["3-1", "a", "1,", "-1", "1--2", "99999999999"])
def test_places_that_make_no_sense_are_refused(tmp_path: Path, index: str) -> None:
    (error,) = problems(tmp_path, f"    notebook: a.ipynb\n    cells: {{index: '{index}'}}")
    assert "does not name cells" in error.message


@pytest.mark.parametrize(
    "step", ["    file: ../a.R", "    file: /etc/passwd", "    notebook: a.ipynb\n    parameters-file: ../x.yaml"]
)
def test_files_outside_of_the_project_are_refused(tmp_path: Path, step: str) -> None:
    (error,) = problems(tmp_path, step)
    assert "leaves the project folder" in error.message

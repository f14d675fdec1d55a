"""What a notebook declares as its parameters, and the command that lists it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlops_action.cli.inspect import command
from mlops_action.inspection import inspect
from mlops_action.notebooks.declared import declared_parameters
from mlops_action.notebooks.languages.interface import Declared
from mlops_action.notebooks.languages.python_declared import declared_in


def one(source: str) -> Declared:
    found = declared_in(source)
    assert found is not None
    (declared,) = found
    return declared


def cell(source: str, *tags: str, kind: str = "code", **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}, **more}


def notebook(tmp_path: Path, *cells: dict[str, Any], **metadata: Any) -> Path:
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}))
    return path


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("lr = 0.1", ("lr", "float", "0.1", "")),
        ("lr = 0.1  # the rate", ("lr", "float", "0.1", "the rate")),
        ("lr: float = 1  # the rate", ("lr", "float", "1", "the rate")),
        ("lr = 1  # type: float", ("lr", "float", "1", "")),
        ("lr = 1  # type: float  # the rate", ("lr", "float", "1", "the rate")),
        ("query = 'a = 1 # b'  # sql", ("query", "str", "'a = 1 # b'", "sql")),
        ("d = dict(a=1)", ("d", "", "dict(a=1)", "")),
        ("d = {'a': 1}", ("d", "dict", "{'a': 1}", "")),
        ("t = (1, 2)", ("t", "list", "(1, 2)", "")),
        ("n = -3", ("n", "int", "-3", "")),
        ("flag = True", ("flag", "bool", "True", "")),
        ("nothing = None", ("nothing", "", "None", "")),
        ("kind: Literal['a', 'b'] = 'a'", ("kind", "Literal['a', 'b']", "'a'", "")),
        ("x: None | str = None", ("x", "None | str", "None", "")),
        ("x: int", ("x", "int", "", "")),
        ("f = f'{1}'", ("f", "str", "f'{1}'", "")),
        ("xs = [\n  1,\n  2,\n]  # many", ("xs", "list", "[\n  1,\n  2,\n]", "many")),
        ("p = Path('x')  # where", ("p", "", "Path('x')", "where")),
        ("x = 1; ", ("x", "int", "1", "")),
        ("%matplotlib inline\n!pip install x\nx = 1", ("x", "int", "1", "")),
        ("x = 1\nx = 'a'", ("x", "str", "'a'", "")),
        ("import os\nif 1:\n    y = 2\nx = 1", ("x", "int", "1", "")),
    ],
)
def test_an_assignment_of_python_is_read_with_type_default_and_doc(source: str, found: tuple[str, ...]) -> None:
    declared = one(source)
    assert (declared.name, declared.type, declared.default, declared.doc) == found


def test_several_names_in_one_statement_are_each_declared() -> None:
    found = declared_in("a = b = 1\nc, d = 2, 'x'\ne, *f = g()")
    assert [(each.name, each.type) for each in found or ()] == [
        ("a", "int"),
        ("b", "int"),
        ("c", "int"),
        ("d", "str"),
        ("e", ""),
    ]


@pytest.mark.parametrize("source", ["%%bash\nx=1", "x = ", "def f(:", "x = 1\n  y = 2", "x = '\x00'"])
def test_what_is_not_python_declares_nothing_for_sure(source: str) -> None:
    assert declared_in(source) is None


@pytest.mark.parametrize(
    ("source", "fits", "misfits"),
    [
        ("x = 'a'", ["", "7"], [7, 0.5, True, None, [], {}]),
        ("x = 1", [0, -5], [0.5, "1", True, None]),
        ("x = 0.5", [0.1, 1], ["1", True, None]),
        ("x = True", [False], [1, "true", None]),
        ("x = []", [[1]], [{}, "a"]),
        ("x = None", [1, "a", None, [1]], []),
        ("x = make()", [1, "a", None], []),
        ("x: str | None = None", ["a", None], [1]),
        ("x: Optional[int] = None", [1, None], ["a", 0.5]),
        ("x: typing.Optional[int] = None", [1, None], ["a"]),
        ("x: Union[int, str] = 1", [1, "a"], [0.5, None]),
        ("x: 'int' = 1", [1], ["a"]),
        ("x: Literal['a', 1] = 'a'", ["a", 1], ["b", True, 2]),
        ("x: Literal['a'] | None = None", ["a", None], ["b"]),
        ("x: Literal['a'] | int = 1", ["a", "b", 3], [0.5]),
        ("x: list[int] = []", [[1]], [1]),
        ("x: Sequence[int] = ()", [[1]], [1]),
        ("x: dict[str, int] = {}", [{}], [[]]),
        ("x: Path = Path()", ["a", 1], []),
        ("x: str | Path = 'a'", ["a", 1], []),
        ("x: Final[int] = 1", [1], ["a"]),
        ("x: Annotated[int, 'doc'] = 1", [1], ["a"]),
        ("x: float = 1", [1, 0.5], ["a", True]),
        ("x = 1  # type: float", [0.5], ["a"]),
        ("x = 1  # type: what is this", ["anything"], []),
    ],
)
def test_values_fit_the_declared_type_or_do_not(source: str, fits: list[Any], misfits: list[Any]) -> None:
    declared = one(source)
    assert [value for value in fits if not declared.fits(value)] == []
    assert [value for value in misfits if declared.fits(value)] == []


def test_without_a_cell_of_parameters_any_may_be_given() -> None:
    assert declared_parameters([cell("x = 1")], "python") is None
    assert declared_parameters([cell("x = 1", "parameters", kind="markdown")], "python") is None
    assert declared_parameters([cell("x = 1", "parameters")], "cobol") is None
    assert declared_parameters([cell("# none", "parameters")], "python") == ()


def test_the_command_lists_parameters_for_people(tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        cell("lr: float = 0.1  # rate", "parameters", id="p"),
        kernelspec={"name": "mine", "language": "python"},
    )
    said = CliRunner().invoke(command, [str(path)])
    assert said.exit_code == 0
    assert "python, kernel mine" in said.output
    assert "  lr: float = 0.1  # rate" in said.output


def test_the_command_prints_json_with_cells(tmp_path: Path) -> None:
    path = notebook(tmp_path, cell("# H", kind="markdown", id="a"), cell("x = 1", "parameters", id="b"))
    said = json.loads(CliRunner().invoke(command, [str(path), "--json", "--cells"]).output)
    assert said["parameters_cell"] == 1
    assert said["parameters"][0]["name"] == "x"
    assert said["parameters"][0]["kinds"] == ["int"]
    assert [(each["index"], each["id"], each["tags"]) for each in said["cells"]] == [
        (0, "a", []),
        (1, "b", ["parameters"]),
    ]


def test_the_kernel_named_by_hand_says_the_language(tmp_path: Path) -> None:
    path = notebook(tmp_path, cell("x <- 'a'", "parameters", id="b"))
    assert inspect(path, "n")["parameters"] == [], "as Python it compares and assigns nothing"
    assert inspect(path, "n", "ir")["parameters"][0]["type"] == "str"


def test_hostile_text_in_a_notebook_stays_on_its_line(tmp_path: Path) -> None:
    path = notebook(tmp_path, cell("x = 1  # \x1b[31m::error::", "parameters", id="b"))
    output = CliRunner().invoke(command, [str(path), "--cells"]).output
    assert "\x1b" not in output
    assert not any(line.startswith("::") for line in output.splitlines())


def test_a_notebook_that_is_not_there_is_told_with_code_2(tmp_path: Path) -> None:
    said = CliRunner().invoke(command, [str(tmp_path / "none.ipynb")])
    assert said.exit_code == 2
    assert "file-missing" in said.output


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_of_format_4_is_outlined_as_it_is_read(tmp_path: Path, minor: int) -> None:
    from mlops_action.notebooks.read import outline, read_notebook

    path = tmp_path / "n.ipynb"
    own = {"id": "mine"} if minor == 5 else {}
    code = {"cell_type": "code", "source": ["x = 1\n", "y"], "metadata": {}, "outputs": [], "execution_count": None}
    cells = [code | own, {"cell_type": "markdown", "source": "# H", "metadata": {}, **({"id": "h"} if own else {})}]
    raw = json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": cells})
    path.write_text(raw)
    read = read_notebook(path, "n")
    assert [cell["id"] for cell in read.cells] == (["mine", "h"] if own else ["cell-0", "cell-1"])
    assert [(c["id"], c["source"]) for c in outline(path, "n").cells] == [(c.id, c.source) for c in read.cells]
    assert path.read_text() == raw


def test_format_3_is_outlined_as_it_is_read_and_its_ids_do_not_change(tmp_path: Path) -> None:
    from mlops_action.notebooks.read import outline, read_notebook

    path = tmp_path / "n.ipynb"
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Head", "metadata": {}},
        {
            "cell_type": "code",
            "input": ["1\n", "2"],
            "language": "python",
            "metadata": {},
            "outputs": [],
            "collapsed": False,
        },
    ]
    path.write_text(json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}))
    first = read_notebook(path, "n")
    assert first == read_notebook(path, "n")
    assert [(cell.id, cell.source) for cell in first.cells] == [("cell-0", "## Head"), ("cell-1", "1\n2")]
    assert [(c["id"], c["source"]) for c in outline(path, "n").cells] == [(c.id, c.source) for c in first.cells]

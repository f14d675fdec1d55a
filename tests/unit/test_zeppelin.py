"""Zeppelin notes: paragraphs, interpreters, properties, results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_action.errors import BadNotebook
from mlops_action.notebooks.cells import SKIP_TAG, kernel_label, name_of, tags_of
from mlops_action.notebooks.read import interpreter_kernel, kernel_names, outline, read_notebook
from mlops_action.notebooks.select import chosen_cells, prepare_cells
from mlops_action.notebooks.zeppelin import split_paragraph
from mlops_action.records import CellSelection


def note(tmp_path: Path, *paragraphs: Any, name: str = "note.zpln", **more: Any) -> Path:
    path = tmp_path / name
    path.write_text(json.dumps({"name": "a note", "paragraphs": list(paragraphs), **more}))
    return path


def read(path: Path) -> Any:
    return read_notebook(path, path.name)


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("%spark.pyspark\n1 + 1", ("spark.pyspark", "1 + 1")),
        ("%sh ls", ("sh", "ls")),
        ("\n\n  %python\n\nx", ("python", "x")),
        ("%spark(pool=a, form=simple) sc.version", ("spark", "sc.version")),
        ('%r.ir(text="a ) b \\" c")\nx', ("r.ir", "x")),
        ("%jupyter(kernel=ir)\nx", ("ir", "x")),
        ('%jupyter(a=1, kernel="my kernel")\nx', ("my kernel", "x")),
        ("print('100%')", ("", "print('100%')")),
        ("%", ("", "%")),
        ("", ("", "")),
    ],
)
def test_a_paragraph_is_parted_into_interpreter_and_code(text: str, parted: tuple[str, str]) -> None:
    assert split_paragraph(text) == parted


def test_properties_that_do_not_end_are_an_error_with_the_paragraph(tmp_path: Path) -> None:
    path = note(tmp_path, {"text": "%md hi"}, {"text": "%spark(pool=a 1 + 1"})
    with pytest.raises(BadNotebook, match="paragraph 1"):
        read(path)


def test_each_paragraph_goes_to_the_kernel_of_its_interpreter(tmp_path: Path) -> None:
    path = note(tmp_path, {"text": "%md hi"}, {"text": "%python\n1"}, {"text": "%sh\nls"}, {"text": "%r\n1"})
    assert kernel_names(path, "n") == ("python", "sh", "r")
    assert [kernel_label(cell) for cell in read(path).cells] == ["", "", "sh", "r"]
    assert [interpreter_kernel(each, "n.zpln") for each in ("python", "sh", "r", "sql")] == [
        "python3",
        "bash",
        "ir",
        "sql",
    ]


def test_paragraphs_without_an_interpreter_go_to_the_note_s_default_one(tmp_path: Path) -> None:
    path = note(tmp_path, {"text": "%sh\nls"}, {"text": "1 + 1"}, defaultInterpreterGroup="python")
    assert kernel_names(path, "n") == ("python", "sh")
    assert [kernel_label(cell) for cell in read(path).cells] == ["sh", ""]


def test_markdown_stays_markdown_and_html_runs_nothing(tmp_path: Path) -> None:
    path = note(tmp_path, {"text": "%md\n# Head"}, {"text": "%html <b>x</b>"}, {"text": "%md.markdown\ny"})
    assert [(cell.cell_type, cell.source) for cell in read(path).cells] == [
        ("markdown", "# Head"),
        ("raw", "<b>x</b>"),
        ("markdown", "y"),
    ]
    assert kernel_names(path, "n") == ("",)


def test_a_disabled_paragraph_is_left_out_and_marked(tmp_path: Path) -> None:
    path = note(tmp_path, {"text": "%python\n1"}, {"text": "%sh\nls", "config": {"enabled": False}})
    notebook = read(path)
    assert tags_of(notebook.cells[1]) == [SKIP_TAG]
    chosen = chosen_cells(notebook, CellSelection(), "here")
    prepare_cells(notebook, chosen)
    assert chosen == [0]
    assert notebook.cells[1].metadata["mlops-action"] == {"kernel": "sh", "skipped": True}
    assert kernel_names(path, "n") == ("python",), "no kernel is needed for what does not run"


def test_a_paragraph_titled_parameters_holds_the_parameters(tmp_path: Path) -> None:
    cell = read(note(tmp_path, {"title": "Parameters", "text": "%python\nx = 1"})).cells[0]
    assert tags_of(cell) == ["parameters"]
    assert name_of(cell) == "Parameters"


def test_missing_config_editor_mode_and_text_are_tolerated(tmp_path: Path) -> None:
    path = note(tmp_path, {}, {"text": None, "config": None}, {"text": "%python 1", "config": {}}, name="note.json")
    assert [cell.source for cell in read(path).cells] == ["", "", "1"]


def test_results_become_outputs(tmp_path: Path) -> None:
    messages = [
        {"type": "TEXT", "data": "hi\n"},
        {"type": "HTML", "data": "<b>x</b>"},
        {"type": "TABLE", "data": "a\tb\n<i>\t%html <u>y</u>\n"},
        {"type": "IMG", "data": "aGk="},
        {"type": "NEW", "data": "?"},
        {"type": 3},
        "odd",
    ]
    path = note(tmp_path, {"text": "%python 1", "results": {"code": "SUCCESS", "msg": messages}})
    text, html, table, image, other = read(path).cells[0].outputs
    assert (text.name, text.text) == ("stdout", "hi\n")
    assert html.data["text/html"] == "<b>x</b>"
    assert "<td>&lt;i&gt;</td><td><u>y</u></td>" in table.data["text/html"]
    assert image.data["image/png"] == "aGk="
    assert other.data["text/plain"] == "?"


def test_the_older_form_of_results_is_read_as_well(tmp_path: Path) -> None:
    path = note(tmp_path, {"text": "%python 1", "result": {"code": "ERROR", "type": "TEXT", "msg": "boom"}})
    assert read(path).cells[0].outputs[0] == {"output_type": "stream", "name": "stderr", "text": "boom"}


def test_ids_are_the_paragraphs_own_where_they_can_be(tmp_path: Path) -> None:
    path = note(tmp_path, {"id": "20180118-105449_1"}, {"id": "a b"}, {"id": "20180118-105449_1"}, {"id": 4})
    assert [cell.id for cell in read(path).cells] == ["20180118-105449_1", "cell-1", "cell-2", "cell-3"]


def test_the_outline_has_the_cells_of_the_notebook(tmp_path: Path) -> None:
    path = note(tmp_path, {"text": "%md a"}, {"text": "%python 1"}, {"text": "%sh 2"})
    assert [dict(cell) for cell in read(path).cells] == list(outline(path, "n").cells)


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"paragraphs": {}}', '{"paragraphs": [1]}', '{"nbformat": 4, "cells": []}', "{", '"x"', "\x00"],
)
def test_what_is_no_note_is_a_bad_notebook_with_a_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(BadNotebook) as told:
        read(path)
    assert told.value.message

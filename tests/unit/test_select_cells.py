"""Choosing cells by name, heading and regular expression."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_action.errors import BadValue
from mlops_action.notebooks.headings import headings_in
from mlops_action.notebooks.select import chosen_cells, prepare_cells
from mlops_action.records import CellSelection


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": 1}


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def notebook() -> dict[str, Any]:
    cells = [
        code("import os"),
        text("# Data"),
        code("load()", name="load", tags=["slow"]),
        text("## Cleaning\nwords"),
        code("clean()", name="clean"),
        text("Training\n========"),
        code("fit()\nscore()", name="fit"),
        text("### Deep **parts** of `it`"),
        code("deep()", title="deep"),
        text("# Data"),
        code("more()"),
    ]
    return {"metadata": {}, "cells": [{"id": f"c{i}", **cell} for i, cell in enumerate(cells)]}


def chosen(**selection: Any) -> list[int]:
    return chosen_cells(notebook(), CellSelection(**selection), "here")


def test_everything_runs_in_order_without_a_choice() -> None:
    assert chosen() == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("headings", "places"),
    [
        (("Data",), [2, 4, 10]),
        (("Cleaning",), [4]),
        (("Training",), [6, 8]),
        (("Deep parts of it",), [8]),
        (("Cleaning", "Deep parts of it"), [4, 8]),
    ],
)
def test_a_section_ends_at_the_next_heading_of_its_level(headings: tuple[str, ...], places: list[int]) -> None:
    assert chosen(headings=headings) == places


def test_names_come_from_the_metadata_and_keep_the_notebook_s_order() -> None:
    assert chosen(names=("fit", "load")) == [2, 6]
    assert chosen(names=("deep",)) == [8]


@pytest.mark.parametrize(
    ("pattern", "places"), [(r"^score", [6]), (r"\(\)$", [2, 4, 6, 8, 10]), ("import|deep", [0, 8]), (r"(?i)FIT", [6])]
)
def test_a_pattern_is_searched_for_at_each_line(pattern: str, places: list[int]) -> None:
    assert chosen(matching=pattern) == places


def test_all_conditions_that_are_given_must_hold() -> None:
    assert chosen(headings=("Data",), names=("load", "fit")) == [2]
    assert chosen(headings=("Data",), skip_tags=("slow",)) == [4, 10]
    assert chosen(matching="load|clean", index="3-9") == [4]
    with pytest.raises(BadValue, match="leaves no code"):
        chosen(headings=("Cleaning",), names=("fit",))


@pytest.mark.parametrize(
    ("selection", "said", "hint"),
    [
        ({"names": ("fti",)}, "no cell has the name `fti`", "did you mean `fit`?"),
        ({"headings": ("Cleanig",)}, "there is no heading `Cleanig`", "did you mean `Cleaning`?"),
        ({"matching": "laod()"}, "no code cell matches", "did you mean `load()`?"),
        ({"matching": "^zzz"}, "no code cell matches", "it is searched for in each"),
        ({"ids": ("c99",)}, "no cell has the id", "did you mean `c"),
        ({"tags": ("slwo",)}, "no cell has the tag", "did you mean `slow`?"),
        ({"skip_tags": ("fast",)}, "no cell has the tag", "known: `slow`"),
        ({"index": "9-4000000000"}, "there is no cell 11", ""),
        ({"matching": "("}, "no regular expression", ""),
    ],
)
def test_a_choice_that_matches_nothing_names_the_nearest_thing(selection: Any, said: str, hint: str) -> None:
    with pytest.raises(BadValue) as told:
        chosen(**selection)
    assert said in told.value.message
    assert hint in told.value.hint
    assert told.value.origin == "here"


def test_cells_that_are_left_out_are_marked_and_keep_their_kernel() -> None:
    found = notebook()
    found["cells"][0]["metadata"] = {"mlops-action": {"kernel": "sh", "skipped": True}}
    found["cells"][2]["metadata"] = {"mlops-action": {"kernel": "sh"}}
    prepare_cells(found, [0])
    assert found["cells"][0]["metadata"]["mlops-action"] == {"kernel": "sh"}
    assert found["cells"][2]["metadata"]["mlops-action"] == {"kernel": "sh", "skipped": True}
    assert found["cells"][4]["metadata"]["mlops-action"] == {"skipped": True}
    assert "mlops-action" not in found["cells"][1]["metadata"]


@pytest.mark.parametrize(
    ("markdown", "headings"),
    [
        ("# A", [(1, "A")]),
        ("   ## A ##", [(2, "A")]),
        ("###### A", [(6, "A")]),
        ("####### A", []),
        ("#A", []),
        ("    # A", []),
        ("A\n===\nB\n---", [(1, "A"), (2, "B")]),
        ("\n---\n", []),
        ("- a\n---", []),
        ("| a |\n---", []),
        ("```\n# A\n```\n# B", [(1, "B")]),
        ("~~~\n# A\n```\n~~~\n# B", [(1, "B")]),
        ("# A [link](http://x) <a id='y'></a> {#z}", [(1, "A link")]),
        ("# snake_case_name", [(1, "snake_case_name")]),
        ("#", [(1, "")]),
    ],
)
def test_headings_are_those_of_markdown(markdown: str, headings: list[tuple[int, str]]) -> None:
    assert list(headings_in(markdown)) == headings

"""The line of a failure is one of the failing cell, or none."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_action.kernels.lines import line_in_cell

PYTHON = """\
ValueError                                Traceback (most recent call last)
Cell In[2], line 1
----> 1 f()

Cell In[1], line 4, in f()
      1 def f():
----> 4   raise ValueError("boom")

ValueError: boom"""
R = 'Error in f(): boom\nTraceback:\n\n1. f()\n2. stop("boom")   # at line 3 of file <text>'
DENO = "Error: boom\n    at f (<anonymous>:3:9)\n    at <anonymous>:5:1"


def cell(source: str, count: int | None = 2) -> dict[str, Any]:
    return {"source": source, "execution_count": count}


def test_a_function_of_another_cell_does_not_give_its_line() -> None:
    assert line_in_cell(PYTHON, cell("f()")) == 1
    assert line_in_cell(PYTHON, cell("def f(): ...\n\n\nraise", 1)) == 4
    assert line_in_cell(PYTHON, cell("f()", 7)) is None


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x <- 1\nf <- function() {\n  stop('boom')\n}\nf()", 3),
        ("f()", None),
        ("x <- 1\ny <- 2\nz <- 3\nf()", None),
    ],
)
def test_r_tells_a_line_that_counts_when_the_call_stands_there(source: str, line: int | None) -> None:
    assert line_in_cell(R, cell(source)) == line


def test_the_place_of_a_mistake_in_r_s_grammar_is_a_line_of_the_cell() -> None:
    assert line_in_cell("Error in parse(text = x, srcfile = src): <text>:2:0: unexpected end", cell("x <- (")) == 1
    assert line_in_cell("Error in parse(text = x, srcfile = src): <text>:2:3: unexpected", cell("1\n) 2\n3")) == 2


def test_lines_of_what_deno_makes_of_a_cell_are_not_told_as_its_own() -> None:
    assert line_in_cell(DENO, cell("throw new Error('boom')")) is None

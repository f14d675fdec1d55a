"""Executed notebooks: marks of a failed run, bytes, and how often they are saved."""

from __future__ import annotations

import copy

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mlops_action.notebooks.saving import Saver, notebook_bytes, strip_banner, with_banner
from mlops_action.records import Failure
from mlops_action.vocabulary import FailureKind


def notebook() -> nbformat.NotebookNode:
    cells = [new_code_cell(f"x = {i}", id=f"c{i}") for i in range(3)]
    cells[0].outputs = [new_output("stream", name="stdout", text="a\nb\n")]
    return new_notebook(cells=cells)


FAILURE = Failure(FailureKind.RAISED, "ValueError: `x`\n::error::", "mend it", cell=1, cell_id="c1")


def test_a_failed_run_begins_with_the_failure_and_a_link_to_its_cell() -> None:
    marked = with_banner(notebook(), FAILURE)
    assert "[this cell](#mlops-action-failed-cell)" in marked.cells[0].source
    assert "mend it" in marked.cells[0].source
    assert 'id="mlops-action-failed-cell"' in marked.cells[2].source
    assert marked.cells[3].id == "c1"
    nbformat.validate(marked)


def test_marking_leaves_the_notebook_itself_alone() -> None:
    original = notebook()
    before = copy.deepcopy(original)
    with_banner(original, FAILURE)
    assert original == before


def test_the_next_run_removes_the_marks_of_the_one_before() -> None:
    marked = with_banner(notebook(), FAILURE)
    strip_banner(marked)
    assert marked.cells == notebook().cells


def test_a_failure_without_a_cell_is_told_at_the_top_alone() -> None:
    marked = with_banner(notebook(), Failure(FailureKind.KERNEL_START, "no kernel"))
    assert len(marked.cells) == 4


def test_the_written_notebook_is_read_back_as_it_was() -> None:
    original = notebook()
    assert nbformat.reads(notebook_bytes(original), as_version=4) == original


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_saving_waits_for_its_pause_and_keeps_to_its_share_of_the_time() -> None:
    clock, saves = Clock(), []

    def save() -> None:
        saves.append(clock.now)
        clock.now += 1.0  # a large notebook: a second for each save

    saver = Saver(save, clock)
    for _ in range(1000):
        clock.now += 0.1
        saver.reached()
    assert 1 <= len(saves) <= 100 * Saver.SHARE + 1
    assert saves[0] >= Saver.PAUSE_SECONDS


def test_a_run_of_many_short_cells_is_not_saved_for_each() -> None:
    clock, saves = Clock(), []
    saver = Saver(lambda: saves.append(1), clock)
    for _ in range(200):
        clock.now += 0.008
        saver.reached()
    assert len(saves) == 0

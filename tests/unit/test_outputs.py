"""Outputs within a budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_action.kernels.outputs import OutputBudget, StreamText, bundle_size, collapse_redraws, whole_bundle


def stream(limit: int = 0, notebook: int = 0) -> tuple[StreamText, OutputBudget]:
    budget = OutputBudget(limit, notebook)
    return StreamText(budget), budget


def test_text_within_the_budget_is_kept_as_it_came() -> None:
    text, budget = stream(100)
    for piece in ("one ", "line\n", "and half"):
        assert text.add(piece) == piece
    assert text.text() == "one line\nand half"
    assert budget.cut == 0


def test_text_beyond_the_budget_is_counted_and_not_kept() -> None:
    text, budget = stream(10)
    assert text.add("0123456789abc") == "0123456789"
    assert text.add("more") == ""
    assert text.text() == "0123456789"
    assert budget.cut == 7
    assert "7 bytes" in budget.mark()


def test_a_progress_bar_costs_only_what_it_shows_last() -> None:
    text, budget = stream(1000)
    for percent in range(10_000):
        text.add(f"\r{percent:5} of 10000")
    assert text.text() == " 9999 of 10000"
    assert budget.cut == 0


def test_a_return_at_the_end_waits_for_what_follows() -> None:
    text, _ = stream()
    text.add("old\r")
    assert text.text() == "old"
    text.add("new\n")
    assert text.text() == "new\n"


def test_windows_line_ends_do_not_wipe_their_line() -> None:
    text, _ = stream()
    text.add("a\r\nb\r\n")
    assert text.text() == "a\nb\n"


def test_the_notebook_budget_is_shared_by_its_cells() -> None:
    budget = OutputBudget(100, 150)
    StreamText(budget).add("x" * 100)
    budget.next_cell()
    assert budget.left() == 50
    StreamText(budget).add("y" * 80)
    assert budget.cut == 30


@given(st.lists(st.text(alphabet="ab\r\n", max_size=8), max_size=20))
def test_pieces_come_out_as_the_whole_would(pieces: list[str]) -> None:
    text, _ = stream()
    for piece in pieces:
        text.add(piece)
    assert text.text() == collapse_redraws("".join(pieces))


@given(st.lists(st.text(max_size=30), max_size=20), st.integers(1, 50))
def test_never_more_is_kept_than_the_budget_allows(pieces: list[str], limit: int) -> None:
    text, budget = stream(limit)
    for piece in pieces:
        text.add(piece)
    assert len(text.text()) <= limit + 1
    assert budget.cut <= sum(map(len, pieces))


def test_a_bundle_counts_all_its_kinds() -> None:
    assert bundle_size({"text/plain": "ab", "image/png": "c" * 1000}) > 1000
    assert bundle_size({"application/json": {"a": ["x" * 500]}}) > 500


def test_a_bundle_is_taken_as_a_notebook_can_hold_it() -> None:
    deep: object = 1
    for _ in range(1000):
        deep = [deep]
    shown = {
        "text/plain": 5,
        "text/html": None,
        "text/latex": ["a", "b"],
        "image/png": "AAAA",
        "application/json": {"a": [1, None]},
        "application/x+json": deep,
        "text/x": deep,
    }
    assert whole_bundle(shown) == {
        "text/plain": "5",
        "text/latex": ["a", "b"],
        "image/png": "AAAA",
        "application/json": {"a": [1, None]},
    }
    assert whole_bundle(None) == {}

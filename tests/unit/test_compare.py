"""Outputs beside those that are saved."""

from __future__ import annotations

import base64
import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mlops_action.errors import BadValue
from mlops_action.notebooks.compare import differences
from mlops_action.records import Comparison, Difference

EXACT = Comparison()
VIEW = "application/vnd.jupyter.widget-view+json"


def stdout(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


def stderr(text: str) -> Any:
    return new_output("stream", name="stderr", text=text)


def result(**data: Any) -> Any:
    return new_output("execute_result", data={"text/plain": "x"} | data, execution_count=1)


def display(mime: str, value: Any) -> Any:
    return new_output("display_data", data={mime: value})


def error(ename: str, evalue: str) -> Any:
    return new_output("error", ename=ename, evalue=evalue, traceback=["at 0x7f01"])


def cell(*outputs: Any, source: str = "1", name: str = "a", tags: tuple[str, ...] = ()) -> Any:
    return new_code_cell(source, id=name, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})


def compared(saved: list[Any], run: list[Any], how: Comparison = EXACT, **in_cell: Any) -> tuple[Difference, ...]:
    before, after = (new_notebook(cells=[cell(*outputs, **in_cell)]) for outputs in (saved, run))
    return differences(before, after, [0], how)


def within(absolute: str | None = None, relative: str | None = None) -> Comparison:
    return Comparison(
        absolute=None if absolute is None else Decimal(absolute),
        relative=None if relative is None else Decimal(relative),
    )


OUTPUTS = [stdout("a\n"), stderr("b"), result(), error("E", "v"), display("application/json", {"a": [1, None]})]


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.output_type)
def test_equal_outputs_do_not_differ(output: Any) -> None:
    assert compared([output], [copy.deepcopy(output)]) == ()


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.output_type)
def test_an_output_on_one_side_only_differs(output: Any) -> None:
    (missing,), (new,) = compared([output], []), compared([], [output])
    assert missing.what.endswith("is missing")
    assert missing.expected
    assert new.what.endswith("is new")
    assert new.found


def test_pieces_of_a_stream_are_read_as_one_text() -> None:
    assert (
        compared(
            [stdout("a\nb\n")], [stdout("a\n"), stderr("e"), stdout("b\n")], Comparison(ignore_outputs=("stderr",))
        )
        == ()
    )


def test_a_progress_bar_is_read_as_a_terminal_shows_it() -> None:
    assert compared([stdout("\r10%\r100%\n")], [stdout("100%\n")]) == ()


def test_a_difference_names_cell_kind_and_line() -> None:
    (found,) = compared([stdout("same\nold\n")], [stdout("same\nnew\n")])
    assert found == Difference(0, "a", "stdout: line 2", "old", "new")


def test_hostile_output_stays_one_harmless_line() -> None:
    (found,) = compared([stdout("x")], [stdout("::error::\x1b[31m ##[error]" + "y" * 10_000)])
    assert len(found.found) <= 200
    assert "##[" not in found.found
    assert "\x1b" not in found.found


def test_many_differences_of_a_cell_are_cut_short() -> None:
    found = compared([result()] * 50, [result(**{"text/plain": "y"})] * 50)
    assert len(found) == 6
    assert found[-1].what == "and 45 more"


def test_colours_count_unless_they_are_ignored() -> None:
    saved, run = [stdout("\x1b[31mred\x1b[0m")], [stdout("red")]
    assert compared(saved, run)
    assert compared(saved, run, Comparison(ignore=(r"\x1b\[[0-9;]*m",))) == ()


def test_addresses_count_unless_they_are_ignored() -> None:
    saved, run = ([result(**{"text/plain": f"<object at 0x{address}>"})] for address in ("7f12ab", "7f34cd"))
    assert compared(saved, run)
    assert compared(saved, run, within(relative="1000"))
    assert compared(saved, run, Comparison(ignore=("0x[0-9a-f]+",))) == ()


def test_an_output_that_is_ignored_whole_may_be_missing() -> None:
    assert compared([stderr("warning: 1\n")], [], Comparison(ignore=(r"warning.*\n",))) == ()


def test_the_process_number_in_the_file_of_a_cell_never_counts() -> None:
    saved, run = ([stderr(f"/tmp/ipykernel_{pid}/2918.py:1: UserWarning: old\n")] for pid in (71, 4242))
    assert compared(saved, run) == ()


def test_a_pattern_that_is_none_is_an_error() -> None:
    with pytest.raises(BadValue, match="not a regular expression"):
        compared([], [], Comparison(ignore=("(",)))


@pytest.mark.parametrize(
    ("saved", "run", "how", "same"),
    [
        ("loss 0.50", "loss 0.5", EXACT, False),
        ("loss 0.50", "loss 0.5", within("0"), True),
        ("loss 0.500", "loss 0.509", within("0.009"), True),
        ("loss 0.500", "loss 0.5090000000000000000000000000000000001", within("0.009"), False),
        ("100", "101", within(relative="0.01"), True),
        ("100", "101.1", within(relative="0.01"), False),
        ("100", "101", within("0.5", "0.01"), False),
        ("100", "101", within("5", "0.001"), False),
        ("-1e-9", "1e-9", within("1e-8"), True),
        ("0", "0.0001", within(relative="0.5"), False),
        ("loss 0.5", "gain 0.5", within("1"), False),
        ("1 2", "1 2 3", within("9"), False),
        ("nan NaN inf", "NaN nan inf", within("1"), True),
        ("nan", "1", within("1000000"), False),
        ("inf", "-inf", within("1000000"), False),
        ("inf", "1e400", within("1000000"), False),
        ("took 12ms", "took 13ms", within("1"), True),
        ("model_12", "model_13", within("5"), False),
        ("v1.2.3", "v1.2.4", within("5"), False),
        ("1.2.3", "1.2.4", within("5"), False),
        ("3f2a", "4f2a", within("5"), False),
        ("[ 9.99  1.00]", "[10.00  1.00]", within("0.1"), True),
        ("1e999999999999", "2e999999999999", within("1"), False),
        ("1" * 100_000, "1" * 99_999 + "2", within("1"), True),
        ("1\n2", "1\n2\n", within("1"), False),
    ],
)
def test_numbers_in_texts_may_be_off_by_both_tolerances(saved: str, run: str, how: Comparison, same: bool) -> None:
    assert (compared([stdout(saved)], [stdout(run)], how) == ()) is same


@pytest.mark.parametrize(
    "text", ["1" * 200_000 + "_", "1." * 100_000, "a" * 200_000 + "1", "1" + "a" * 200_000 + "1", "1e" * 100_000]
)
def test_odd_long_lines_take_no_quadratic_time(text: str) -> None:
    assert compared([stdout(text)], [stdout(text + "x")], within("1"))


@given(st.text(), st.text())
def test_comparing_any_texts_is_symmetric_when_exact(one: str, other: str) -> None:
    assert bool(compared([stdout(one)], [stdout(other)])) == bool(compared([stdout(other)], [stdout(one)]))


@given(st.floats(), st.floats(min_value=0, allow_infinity=False))
def test_a_number_is_always_within_tolerance_of_itself(value: float, tolerance: float) -> None:
    how = within(repr(tolerance), repr(tolerance))
    assert compared([stdout(f"a {value} b")], [stdout(f"a {value!r} b")], how) == ()
    assert compared([display("application/json", [value])], [display("application/json", [value])], how) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, JSON)
def test_json_outputs_are_the_same_exactly_when_they_are_equal(one: Any, other: Any) -> None:
    same = compared([display("application/json", one)], [display("application/json", other)]) == ()
    assert same or json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)
    assert not same or repr(one) == repr(other) or one == other or "\r" in repr(one)


@pytest.mark.parametrize(
    ("saved", "run", "where"),
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, "/a/1"),
        ({"a": 1}, {}, "/a"),
        ([1], [1, 2], "/1"),
        (True, 1, "/"),
        ("1", 1, "/"),
        (None, {}, "/"),
    ],
)
def test_json_is_compared_by_structure(saved: Any, run: Any, where: str) -> None:
    (found,) = compared([display("application/vnd.x+json", saved)], [display("application/vnd.x+json", run)])
    assert found.what == f"output 1 (application/vnd.x+json): {where}"


def test_json_equal_but_for_the_order_of_its_keys_is_equal() -> None:
    one, other = {"a": 1, "b": 2.0}, {"b": 2, "a": 1}
    assert compared([display("application/json", one)], [display("application/json", other)]) == ()


def test_numbers_in_json_may_be_off_by_the_tolerance() -> None:
    one, other = display("application/json", {"loss": 0.5}), display("application/json", {"loss": 0.6})
    assert compared([one], [other], within("0.1")) == ()
    assert compared([one], [other], within("0.09"))


def test_very_deep_json_is_compared_without_recursion() -> None:
    one: Any = 1
    for _ in range(100_000):
        one = [one]
    shallow = {"output_type": "display_data", "data": {"application/json": one}, "metadata": {}}
    before = {"cells": [{"cell_type": "code", "source": "", "metadata": {}, "outputs": [shallow]}]}
    assert differences(before, before, [0], EXACT) == ()


def test_ids_of_widgets_do_not_count() -> None:
    one, other = (display(VIEW, {"model_id": each * 32, "version_major": 2}) for each in "ab")
    assert compared([one], [other]) == ()


def test_results_and_displays_keep_their_order() -> None:
    (found,) = compared([result()], [new_output("display_data", data={"text/plain": "x"})])
    assert found.what == "output 1 is of another kind"


def test_each_mime_type_of_an_output_counts() -> None:
    (found,) = compared([result(**{"text/html": "<b>1</b>"})], [result(**{"text/html": "<b>2</b>"})])
    assert (found.what, found.expected, found.found) == ("output 1 (text/html): line 1", "<b>1</b>", "<b>2</b>")
    (missing,) = compared([result(**{"text/html": "x"})], [result()])
    assert missing.what == "output 1 (text/html) is missing"


def test_errors_are_compared_by_name_and_value_only() -> None:
    assert compared([error("ValueError", "bad 1")], [error("ValueError", "bad 1")]) == ()
    assert compared([error("ValueError", "bad")], [error("KeyError", "bad")])[0].what == "another error"
    assert compared([error("ValueError", "bad 1")], [error("ValueError", "bad 2")], within("1")) == ()


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ("stdout", stdout("x")),
        ("stderr", stderr("x")),
        ("execute_result", result()),
        ("display_data", display("text/plain", "x")),
        ("error", error("E", "v")),
        ("text/html", display("text/html", "x")),
        ("image/*", display("image/png", "eA==")),
    ],
)
def test_a_kind_of_output_can_be_left_out(kind: str, output: Any) -> None:
    how = Comparison(ignore_outputs=(kind,))
    assert compared([], [output], how) == ()
    assert compared([stdout("kept") if kind != "stdout" else stderr("kept")], [output], how)


@pytest.mark.parametrize(
    "in_cell",
    [
        {"tags": ("mlops-skip-compare",)},
        {"tags": ("nbval-ignore-output",)},
        {"tags": ("nbval-skip",)},
        {"tags": ("timing",)},
        {"source": "# NBVAL_IGNORE_OUTPUT\nprint(1)"},
        {"source": "#NBVAL_SKIP\nprint(1)"},
    ],
    ids=str,
)
def test_a_cell_can_be_left_out_by_tag_or_comment(in_cell: dict[str, Any]) -> None:
    assert compared([stdout("1")], [stdout("2")], Comparison(skip_tags=("timing",)), **in_cell) == ()


def test_a_comment_inside_of_a_line_leaves_nothing_out() -> None:
    assert compared([stdout("1")], [stdout("2")], source="x = '# NBVAL_SKIP'")


def test_cells_are_paired_by_id_wherever_they_stand() -> None:
    saved = new_notebook(cells=[cell(stdout("1"), name="a"), cell(stdout("2"), name="b")])
    run = new_notebook(cells=[new_markdown_cell("banner"), cell(stdout("2"), name="b"), cell(stdout("1"), name="a")])
    assert differences(saved, run, [1, 2], EXACT) == ()


def test_cells_without_common_ids_are_paired_by_place_around_injected_ones() -> None:
    injected = cell(stdout("x"), name="injected-parameters", tags=("injected-parameters",))
    saved = new_notebook(cells=[cell(stdout("1"), name="a"), cell(stdout("2"), name="b")])
    run = new_notebook(
        cells=[injected, cell(stdout("1"), name="c"), new_markdown_cell("m"), cell(stdout("2"), name="d")]
    )
    assert differences(saved, run, [0, 1, 3], EXACT) == ()
    assert differences(run, saved, [0, 1], EXACT) == ()


def test_a_cell_that_the_saved_notebook_does_not_have_is_new() -> None:
    run = new_notebook(cells=[cell(name="a"), cell(stdout("1"), name="b")])
    (found,) = differences(new_notebook(cells=[cell(name="a")]), run, [0, 1], EXACT)
    assert (found.cell, found.cell_id, found.what) == (1, "b", "stdout is new")


def test_cells_that_were_not_chosen_do_not_count() -> None:
    saved, run = (new_notebook(cells=[cell(stdout(text)), cell(name="b")]) for text in "12")
    assert differences(saved, run, [1], EXACT) == ()


def test_bytes_of_other_types_are_compared_as_they_are() -> None:
    one, other = (display("application/pdf", base64.b64encode(each).decode()) for each in (b"1", b"2"))
    assert compared([one], [one]) == ()
    assert compared([one], [other])

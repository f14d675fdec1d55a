"""The digest of what cells showed."""

from __future__ import annotations

from typing import Any

import nbformat.v4 as nb

from mlops_action.notebooks.digest import outputs_digest


def notebook(text: str = "42\n", **other: Any) -> Any:
    cell = nb.new_code_cell("print(6 * 7)", execution_count=other.get("count", 1), metadata=other.get("metadata", {}))
    cell.outputs = [nb.new_output("stream", name="stdout", text=text)]
    return nb.new_notebook(cells=[nb.new_markdown_cell(other.get("prose", "x")), cell])


def test_counts_times_ids_and_prose_do_not_count() -> None:
    times = {"execution": {"iopub.status.busy": "2026-01-01T00:00:00Z"}}
    assert outputs_digest(notebook()) == outputs_digest(notebook(count=7, metadata=times, prose="another"))


def test_one_other_byte_in_what_was_printed_is_another_digest() -> None:
    assert outputs_digest(notebook()) != outputs_digest(notebook("43\n"))


def test_the_same_text_on_another_stream_is_another_digest() -> None:
    other = notebook()
    other.cells[1].outputs[0].name = "stderr"
    assert outputs_digest(notebook()) != outputs_digest(other)


def test_a_secret_that_was_printed_leaves_no_digest_of_itself() -> None:
    def masked(text: str) -> str:
        return text.replace("1234", "***").replace("9876", "***")

    assert outputs_digest(notebook("pin 1234"), masked) == outputs_digest(notebook("pin 9876"), masked)


def test_the_notebook_stays_as_it_was() -> None:
    one = notebook(count=3)
    before = repr(one)
    outputs_digest(one)
    assert repr(one) == before

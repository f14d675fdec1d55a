"""Executed notebooks without what differs between equal runs."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mlops_action.notebooks.deterministic import make_deterministic

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def executed(*outputs: Any, **metadata: Any) -> Any:
    return new_notebook(cells=[new_code_cell("1", id="a", outputs=list(outputs))], metadata=metadata)


def settled(notebook: Any) -> str:
    copied = copy.deepcopy(notebook)
    make_deterministic(copied)
    return json.dumps(copied)


def widgets(box: str, slider: str) -> Any:
    models = {
        slider: {"model_name": "IntSlider", "state": {"value": 3}},
        box: {"model_name": "VBox", "state": {"children": [f"IPY_MODEL_{slider}"]}},
    }
    view = new_output("display_data", data={VIEW: {"model_id": box, "version_major": 2}})
    return executed(view, widgets={STATE: {"state": models, "version_major": 2}})


def test_times_of_every_tool_are_removed_and_other_metadata_is_kept() -> None:
    notebook = executed(papermill={"duration": 1.5}, kernelspec={"name": "python3", "display_name": "P"})
    notebook.cells[0].metadata.update(
        execution={"iopub.execute_input": "2026-01-01"}, papermill={"duration": 1}, tags=["x"]
    )
    notebook.cells[0].metadata["mlops-action"] = {"seconds": 0.1, "skipped": True}
    make_deterministic(notebook)
    assert notebook.metadata == {"kernelspec": {"name": "python3", "display_name": "P"}}
    assert notebook.cells[0].metadata == {"tags": ["x"], "mlops-action": {"skipped": True}}


def test_ids_of_widgets_are_numbered_wherever_they_stand() -> None:
    one, other = widgets("a" * 32, "b" * 32), widgets("d" * 32, "c" * 32)
    assert settled(one) == settled(other)
    make_deterministic(one)
    models = one.metadata.widgets[STATE].state
    shown = one.cells[0].outputs[0].data[VIEW].model_id
    assert models[shown].model_name == "VBox"
    assert models[models[shown].state.children[0].removeprefix("IPY_MODEL_")].model_name == "IntSlider"


def test_digests_that_are_no_widgets_are_kept() -> None:
    text = "d41d8cd98f00b204e9800998ecf8427e"
    notebook = widgets("a" * 32, "b" * 32)
    notebook.cells[0].outputs.append(new_output("stream", name="stdout", text=text))
    assert text in settled(notebook)


def test_the_order_in_which_streams_arrive_does_not_matter() -> None:
    def stream(name: str, text: str) -> Any:
        return new_output("stream", name=name, text=text)

    shown = new_output("display_data", data={"text/plain": "x"})
    one = executed(stream("stdout", "1"), stream("stderr", "2"), stream("stdout", "3"), shown, stream("stdout", "4"))
    other = executed(stream("stderr", "2"), stream("stdout", "13"), shown, stream("stdout", "4"))
    assert settled(one) == settled(other)


def test_the_process_number_in_warnings_is_removed() -> None:
    one, other = (
        executed(new_output("stream", name="stderr", text=f"/tmp/ipykernel_{pid}/7.py:1: UserWarning: 12\n"))
        for pid in (12, 345)
    )
    assert settled(one) == settled(other)
    assert "UserWarning: 12" in settled(one)


def test_cells_without_ids_get_them_from_their_places() -> None:
    notebook = new_notebook(cells=[new_code_cell("1", id="cell-1"), new_code_cell("2", id="x")])
    notebook.cells[1].pop("id")
    make_deterministic(notebook)
    assert [cell.id for cell in notebook.cells] == ["cell-1", "cell-1-2"]


METADATA = st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=4)
TEXTS = st.text() | st.sampled_from(["a" * 32, "/tmp/ipykernel_1/2.py"])
OUTPUTS = st.lists(
    st.builds(new_output, st.just("stream"), name=st.sampled_from(["stdout", "stderr"]), text=TEXTS)
    | st.builds(lambda text: new_output("display_data", data={"text/plain": text}), TEXTS)
    | st.builds(lambda model: new_output("display_data", data={VIEW: {"model_id": model}}), TEXTS)
)


@given(OUTPUTS, METADATA)
def test_what_is_deterministic_already_stays_as_it_is(outputs: list[Any], metadata: dict[str, Any]) -> None:
    notebook = executed(*outputs, **{f"x{key}": value for key, value in metadata.items()})
    make_deterministic(notebook)
    once = nbformat.writes(notebook)
    make_deterministic(notebook)
    assert nbformat.writes(notebook) == once
    nbformat.validate(nbformat.reads(once, as_version=4))


@given(OUTPUTS)
def test_other_times_and_order_of_keys_give_equal_bytes(outputs: list[Any]) -> None:
    one = executed(*outputs, a=1, b=2)
    other = executed(*copy.deepcopy(outputs), b=2, a=1, papermill={"start_time": "now"})
    other.cells[0].metadata["execution"] = {"shell.execute_reply": "now"}
    assert settled(one) == settled(other)

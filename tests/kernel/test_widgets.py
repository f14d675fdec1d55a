"""Widgets as nbclient runs them: what is printed inside one belongs to it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from acceptance.documents import check_documents
from acceptance.scratch import clean_env, tool

pytestmark = pytest.mark.kernel

CODE = """\
from ipywidgets import Output
taken = Output()
display(taken)
with taken:
    print("printed inside")
    display("shown inside")
print("printed outside")
"""


def test_an_output_widget_keeps_what_is_printed_inside_it_and_the_notebook_is_whole(tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    (tmp_path / "work").mkdir()
    arguments = ["run", "--code", CODE, "--gates", "none"]
    done = tool(tmp_path / "work", arguments, clean_env(tmp_path / "home"))
    assert done.code == 0, done.text
    check_documents(tmp_path / "work" / "mlops-out")
    (path,) = (tmp_path / "work" / "mlops-out" / "notebooks").iterdir()
    executed = nbformat.read(path, as_version=4)
    printed = [output.text for output in executed.cells[0].outputs if output.output_type == "stream"]
    assert printed == ["printed outside\n"]
    states = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    (kept,) = [state["state"]["outputs"] for state in states if state["model_name"] == "OutputModel"]
    assert [(each["output_type"], each.get("text")) for each in kept] == [
        ("stream", "printed inside\n"),
        ("display_data", None),
    ]


def test_what_is_printed_inside_a_widget_is_limited_like_all_output(tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    loop = "for i in range(200):\n        print('x' * 10000, flush=True)"
    code = f"from ipywidgets import Output\nwith Output():\n    {loop}\n"
    (tmp_path / "mlops.yaml").write_text(
        json.dumps({"steps": {"a": {"code": code, "max-output": "100kB"}}, "gates": "none"})
    )
    done = tool(tmp_path, ["run"], clean_env(tmp_path / "home"))
    assert done.code == 0, done.text
    assert (tmp_path / "mlops-out" / "notebooks" / "a.ipynb").stat().st_size < 150_000
    assert "of output left out here" in done.text

"""Odd notebooks and odd outputs through a whole run: it is right, or a step fails with its reason; never a bug."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from acceptance.documents import check_documents
from acceptance.scratch import clean_env, tool

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def notebook(*cells: Any, metadata: Any = None, minor: Any = 5) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata or {}, "cells": list(cells)}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


MIME = "application/vnd.mlops-action.values.v1+json"
REFUSED = {
    **dict.fromkeys(("odd-tags", "odd-marks", "odd-kernelspec", "odd-outputs"), "bad-notebook"),
    "odd-values": "metric-unreadable",
    "deep-values": "metric-unreadable",
}
"""Told as what they are: not of Jupyter's format, and no values."""
TOO_DEEP = "replaced by JSON that json.dumps cannot write"
DEEP = "value = 1\nfor _ in range({depth}): value = {{'a': value}}\n"
DISPLAY = "from IPython.display import display\n"
PUBLISH = "get_ipython().display_pub.publish("
WELL: dict[str, Any] = {
    "no-ids": notebook(code("x = 1"), code("print(x)"), minor=4),
    "same-ids": notebook(code("x = 1", id="a"), code("print(x)", id="a")),
    "bad-ids": notebook(code("x = 1", id=5), code("print(x)", id="with blanks and ü")),
    "odd-tags": notebook(
        code("print(1)", metadata={"tags": "parameters"}), code("1", metadata={"tags": [1, None, {}]})
    ),
    "odd-marks": notebook(code("print(1)", metadata={"mlops-action": [1], "name": 7, "execution": "x"})),
    "odd-kernelspec": notebook(code("print(1)"), metadata={"kernelspec": [], "language_info": 5, "widgets": "none"}),
    "odd-outputs": notebook(code("print(1)", outputs=[{"output_type": "weird"}, 5], execution_count="one")),
    "list-of-lines": notebook(code(["x = 1\n", "print(x)"])),
    "deep-metadata": notebook(code("print(1)", metadata={"deep": nested(60)})),
    "nul-printed": notebook(code("print('a\\0b\\x1b[31m\\x07')")),
    "nul-shown": notebook(code(f"{DISPLAY}display({{'text/plain': 'a\\0b', 'text/html': '<b>\\0</b>'}}, raw=True)")),
    "no-text-shown": notebook(code(f"{PUBLISH}data={{'text/plain': 5, 'image/png': 7, 'text/html': None}})")),
    "odd-metadata-shown": notebook(code(f"{PUBLISH}data={{'text/plain': 'x'}}, metadata={{'x': [None, {{}}]}})")),
    "odd-values": notebook(code(f"{DISPLAY}display({{'{MIME}': [1, 2]}}, raw=True)")),
    "deep-values": notebook(code(f"{DISPLAY}{DEEP.format(depth=150)}display({{'{MIME}': value}}, raw=True)")),
    "deep-json": notebook(code(f"{DISPLAY}{DEEP.format(depth=400)}display({{'application/json': value}}, raw=True)")),
}
MAYBE: dict[str, Any] = {
    "nul-in-source": notebook(code("print('a\x00b')")),
    "half-in-source": notebook(code("print(len('a\ud800b'))")),
    "half-in-markdown": notebook({"cell_type": "markdown", "metadata": {}, "source": "a\udfffb"}, code("print(1)")),
    "half-in-metadata": notebook(code("print(1)", metadata={"name": "a\ud800"}), metadata={"title": "\udfff"}),
    "half-printed": notebook(code("print('a\\ud800b')")),
    "half-shown": notebook(code(f"{DISPLAY}display({{'text/plain': 'a\\ud800b'}}, raw=True)")),
    "half-recorded": notebook(code(f"{DISPLAY}display({{'{MIME}': {{'a\\ud800': '\\udfff'}}}}, raw=True)")),
    "half-raised": notebook(code("raise ValueError('a\\ud800b')")),
    "numbers-as-source": notebook(code(5), code({"a": 1})),
    "very-deep-json": notebook(
        code(f"{DISPLAY}{DEEP.format(depth=900)}display({{'application/json': value}}, raw=True)")
    ),
    "cells-of-no-kind": notebook({"cell_type": "weird", "source": "x"}, 7, None),
    "too-deep-metadata": notebook(code("print(1)"), metadata={"deep": TOO_DEEP}),
}


def test_odd_notebooks_run_right_or_fail_with_their_reason(tmp_path: Path) -> None:
    steps = {}
    for name, content in (WELL | MAYBE).items():
        (tmp_path / f"{name}.ipynb").write_text(
            json.dumps(content).replace(f'"{TOO_DEEP}"', '{"a":' * 2000 + "1" + "}" * 2000)
        )
        steps[name] = {"notebook": f"{name}.ipynb"}
    wrong: list[str] = []
    for name in list(steps):  # what cannot be read at all is found before anything runs
        done = tool_in(tmp_path, {name: steps[name]}, "check")
        if done.code:
            assert done.code == 2, f"{name}: {done.text}"
            assert "[bad-notebook]" in done.text, f"{name}: {done.text}"
            wrong.append(name)
            del steps[name]
    assert set(wrong) <= set(MAYBE)
    done = tool_in(tmp_path, steps, "run")
    assert done.code in {0, 3}, done.text[-5000:]
    found = {step["name"]: step for step in check_documents(tmp_path / "mlops-out")["run.json"]["steps"]}
    for name, step in found.items():
        refused = step["failure"] and REFUSED.get(name) == step["failure"]["kind"]
        assert name in MAYBE or refused or step["status"] == "ok", f"{name}: {step['failure']}"
        assert step["status"] == "ok" or step["failure"]["message"], name


def tool_in(folder: Path, steps: dict[str, Any], command: str) -> Any:
    (folder / "mlops.yaml").write_text(json.dumps({"steps": steps, "gates": "none"}))
    return tool(folder, [command], clean_env(folder.parent / "home"))


def test_a_few_of_ten_thousand_cells_run_and_all_of_them_are_kept(tmp_path: Path) -> None:
    chosen = {10, 5_000, 9_999}
    cells = [code(f"print({i})", id=f"c{i}", metadata={"tags": ["pick"] if i in chosen else []}) for i in range(10_000)]
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook(*cells)))
    done = tool_in(tmp_path, {"a": {"notebook": "a.ipynb", "cells": {"tags": "pick"}}}, "run")
    assert done.code == 0, done.text
    assert [line for line in done.lines if line.startswith("  | ")] == ["  | 10", "  | 5000", "  | 9999"]
    executed = json.loads((tmp_path / "mlops-out" / "notebooks" / "a.ipynb").read_text())
    assert len(executed["cells"]) == 10_000
    assert sum("skipped" in cell["metadata"].get("mlops-action", {}) for cell in executed["cells"]) == 9_997
    check_documents(tmp_path / "mlops-out")

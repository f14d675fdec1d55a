"""One notebook, in every place: the same outputs, values and failures, byte for byte."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from kernel.bench import MAKERS, Bench

from mlops_action.notebooks.deterministic import make_deterministic
from mlops_action.notebooks.values import recorded_values

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SHOW = f"""\
import base64
from IPython.display import HTML, Image, display
display(Image(base64.b64decode('{PIXEL}'), format='png')); display(HTML('<b>bold</b>'))
"""
FILES = """\
import pathlib
pathlib.Path('ärger.txt').write_text('geschrieben')
sorted(path.name for path in pathlib.Path().iterdir())
"""
CELLS = (
    "import json, sys\nprint('plain'); print('wrong', file=sys.stderr)\n'a result'",
    SHOW,
    "for i in range(3):\n    print(f'\\r{i} of 3', end='')\nprint()",
    "!echo from a shell",
    "display({'application/vnd.mlops-action.values.v1+json': {'accuracy': 0.97, 'best': {'depth': 3}}}, raw=True)",
    "import random; random.seed(7); [random.random() for _ in range(3)]",
    "%%capture kept\nprint('hidden')",
    FILES,
    "def f(x):\n    return 1 / x\nf(0)",
)
PLACES = [
    pytest.param("packages"),
    pytest.param("warm"),
    pytest.param("container", marks=pytest.mark.container),
]

pytestmark = pytest.mark.kernel


def told(name: str, folder: Path) -> tuple[list[Any], dict[str, Any], str, str]:
    """Outputs of all cells, the recorded values, what was printed, and why it ended."""
    folder.mkdir()
    story = Bench(MAKERS[name](folder), folder).run(*CELLS)
    notebook = copy.deepcopy(story.notebook)
    make_deterministic(notebook)
    values, large = recorded_values(story.notebook)
    assert large == []
    assert story.failure is not None
    outputs = [cell.outputs for cell in notebook.cells]
    error = outputs[-1][-1]
    error["traceback"] = []  # it names files of the interpreter's own place
    failure = f"{story.failure.message} in cell {story.failure.cell}, line {story.failure.line}"
    return outputs, values, story.text, failure


def test_the_notebook_of_these_tests_has_outputs_of_every_kind(tmp_path: Path) -> None:
    outputs, values, text, failure = told("host", tmp_path / "host")
    kinds = {output["output_type"] for cell in outputs for output in cell}
    assert kinds == {"stream", "execute_result", "display_data", "error"}
    assert values == {"accuracy": 0.97, "best": {"depth": 3}}
    assert "from a shell" in text
    assert failure == "ZeroDivisionError: division by zero in cell 8, line 2"


@pytest.mark.parametrize("place", PLACES)
def test_a_place_gives_the_same_outputs_values_and_failure_as_the_host(place: str, tmp_path: Path) -> None:
    there, here = told(place, tmp_path / place), told("host", tmp_path / "host")
    for one, other in zip(there, here, strict=True):
        assert one == other

"""Equal runs give equal bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from kernel.bench import MAKERS, Bench

from mlops_action.notebooks.deterministic import make_deterministic
from mlops_action.notebooks.saving import notebook_bytes

pytestmark = pytest.mark.kernel

CELLS = (
    "import sys, warnings\nfor i in range(3):\n    print('out', i)\n    print('err', i, file=sys.stderr)",
    "warnings.warn('old')",
    "from IPython.display import display, JSON\ndisplay(JSON({'b': 1, 'a': [2]}))\nprint('after')",
    "{'b': 1, 'a': 2}",
)


def test_two_runs_of_a_notebook_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    for name in ("one", "other"):
        folder = tmp_path / name
        (folder / "tmp").mkdir(parents=True)
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        story = Bench(MAKERS["host"](folder), folder).run(*CELLS)
        assert story.failure is None
        make_deterministic(story.notebook)
        written.append(notebook_bytes(story.notebook))
    assert written[0] == written[1]
    assert "UserWarning: old" in written[0]

"""Every format of input, run for real; values as source, read back by the languages themselves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mlops_action.notebooks import LANGUAGES
from mlops_action.notebooks.assignments import assignments
from mlops_action.registry import load_from

pytestmark = pytest.mark.kernel

TEXTS = {
    "a.py": '# %% tags=["parameters"]\nx = 1\n# %%\nprint("got", x)\n',
    "a.md": '```python tags=["parameters"]\nx = 1\n```\n\n```python\nprint("got", x)\n```\n',
    "a.qmd": '```{python}\n#| tags: [parameters]\nx = 1\n```\n\n```{python}\nprint("got", x)\n```\n',
    "a.Rmd": '```{python, tags=c("parameters")}\nx = 1\n```\n\n```{python}\nprint("got", x)\n```\n',
}
HOSTILE = [
    "plain",
    "'; touch owned; '",
    "$(touch owned) `touch owned` $HOME",
    "\"\"\"'''",
    "a\nb\tc\r",
    "\\x41\\",
    "!history",
    "🚀\u2028\u0085",
    "\x01\x1b[0m",
    " spaces  * ? ",
]


def run(folder: Path, config: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "mlops.yaml").write_text(f"{config}\ngates: none\n")
    program = [sys.executable, "-m", "mlops_action", "run", *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False, timeout=180)


def code(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_runs_with_its_parameters_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(TEXTS[name])
    done = run(tmp_path, f"steps:\n  a: {{notebook: {name}}}", "-p", "x=42")
    assert done.returncode == 0, done.stderr
    assert "got 42" in done.stdout
    assert (tmp_path / name).read_text() == TEXTS[name]
    nbformat.validate(nbformat.read(tmp_path / "mlops-out/notebooks/a.ipynb", as_version=4))


@pytest.mark.parametrize(("major", "minor"), [(3, 0), *((4, minor) for minor in range(6))])
def test_every_format_of_jupyter_runs_and_the_source_is_not_touched(tmp_path: Path, major: int, minor: int) -> None:
    if major == 3:
        cell = {"cell_type": "code", "input": "print(6 * 7)", "language": "python", "metadata": {}, "outputs": []}
        raw = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell]}]}
    else:
        cells = [code("print(6 * 7)", **({"id": "a"} if minor == 5 else {}))]
        raw = {"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": cells}
    text = json.dumps(raw)
    (tmp_path / "a.ipynb").write_text(text)
    done = run(tmp_path, "steps:\n  a: {notebook: a.ipynb}")
    assert done.returncode == 0, done.stderr
    assert "42" in done.stdout
    assert (tmp_path / "a.ipynb").read_text() == text


@pytest.mark.parametrize(
    "said", [{"language": "python"}, {"display_name": "Python 3"}, {}], ids=["language", "label", "none"]
)
def test_a_kernelspec_without_a_name_runs_in_the_usual_kernel(tmp_path: Path, said: dict[str, str]) -> None:
    raw = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": said},
        "cells": [code("print(6 * 7)", id="a")],
    }
    (tmp_path / "a.ipynb").write_text(json.dumps(raw))
    done = run(tmp_path, "steps:\n  a: {notebook: a.ipynb}")
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(tmp_path / "mlops-out/notebooks/a.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].text == "42\n"
    nbformat.validate(executed)


def test_a_note_runs_in_a_kernel_for_each_interpreter(tmp_path: Path) -> None:
    paragraphs = [
        {"text": "%md # Note"},
        {"title": "parameters", "text": "%python\nx = 1"},
        {"text": "%python\nprint('first', x)"},
        {"text": "%other\nprint('second', 'x' in globals())"},
        {"text": "%other\nraise SystemError('off')", "config": {"enabled": False}},
    ]
    (tmp_path / "n.zpln").write_text(json.dumps({"name": "n", "paragraphs": paragraphs}))
    config = "environment: {interpreters: {other: python3}}\nsteps:\n  n: {notebook: n.zpln, parameters: {x: 42}}"
    done = run(tmp_path, config)
    assert done.returncode == 0, done.stderr
    assert "first 42" in done.stdout
    assert "second False" in done.stdout
    executed = nbformat.read(tmp_path / "mlops-out/notebooks/n.ipynb", as_version=4)
    assert executed.cells[-1].metadata["mlops-action"] == {"kernel": "other", "skipped": True}


def test_a_code_file_runs_as_one_cell_of_the_step_s_kernel_whatever_its_ending(tmp_path: Path) -> None:
    (tmp_path / "report.R").write_text("# %% not a cell\nprint('as', 'python')\n")
    done = run(tmp_path, "steps:\n  a: {file: report.R, kernel: python3}")
    assert done.returncode == 0, done.stderr
    assert "as python" in done.stdout
    assert len(nbformat.read(tmp_path / "mlops-out/notebooks/a.ipynb", as_version=4).cells) == 1


def test_only_the_cells_under_a_heading_run(tmp_path: Path) -> None:
    heading = {"cell_type": "markdown", "source": "# Training", "metadata": {}}
    cells = [code("print('before')"), heading, code("print('within')")]
    (tmp_path / "a.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
    done = run(tmp_path, "steps:\n  a:\n    notebook: a.ipynb\n    cells: {headings: [Training], matching: ^print}")
    assert done.returncode == 0, done.stderr
    assert "within" in done.stdout
    assert "before" not in done.stdout


def test_inspecting_and_planning_a_jupyter_notebook_imports_nothing_heavy(tmp_path: Path) -> None:
    cells = [code("x = 1", metadata={"tags": ["parameters"]})]
    (tmp_path / "a.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
    program = (
        "import sys\nfrom pathlib import Path\nfrom mlops_action.inspection import inspect\n"
        "assert inspect(Path('a.ipynb'), 'n')['parameters']\n"
        "import mlops_action.plan\n"
        "print(sorted({'nbformat', 'nbclient', 'jupytext', 'jsonschema', 'jupyter_client', 'zmq'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_real_python_reads_back_the_text(tmp_path: Path, text: str) -> None:
    source = assignments(load_from(LANGUAGES, "python")(), {"x": text}, "here")
    program = f"{source}\nimport sys\nsys.stdout.buffer.write(x.encode())"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode() == text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interactive", [False, True], ids=["script", "interactive"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_real_bash_reads_back_the_text(tmp_path: Path, text: str, *, interactive: bool) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    source = assignments(load_from(LANGUAGES, "bash")(), {"x": text}, "here") + '\nprintf %s "$x"\n'
    options = ["--norc", "-i", "-s"] if interactive else ["-s"]
    done = subprocess.run(
        [bash, *options],
        input=source.encode(),
        cwd=tmp_path,
        capture_output=True,
        check=True,
        start_new_session=True,
        env={"PATH": "/usr/bin:/bin", "HISTFILE": "/dev/null", "PS1": "", "PS2": ""},
    )
    assert done.stdout.decode() == text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_real_node_reads_back_the_text(tmp_path: Path, text: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    value = {"__proto__": [text, 1.5, None, True], text: -1}
    source = assignments(load_from(LANGUAGES, "javascript")(), {"x": value}, "here")
    program = f"{source}\nprocess.stdout.write(JSON.stringify(x))"
    done = subprocess.run([node, "-e", program], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(done.stdout) == value
    assert list(tmp_path.iterdir()) == []

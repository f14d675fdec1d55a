"""Notebooks as texts: what jupytext reads, and what we add to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jupytext  # noqa: F401  # asks pandoc for its version when it is imported first
import pytest

from mlops_action.errors import BadNotebook, ToolMissing
from mlops_action.notebooks.cells import SKIP_TAG, kernel_label, name_of, tags_of
from mlops_action.notebooks.read import kernel_names, outline, read_notebook
from mlops_action.notebooks.texts import header_of

TEXTS = {
    "a.py": '# %% [markdown]\n# # Head\n# %% fit tags=["parameters"]\nx = 1\n# %%\nprint(x)\n',
    "a.R": '# %% [markdown]\n# # Head\n# %% fit tags=["parameters"]\nx <- 1\n# %%\nprint(x)\n',
    "a.jl": '# %% [markdown]\n# # Head\n# %% fit tags=["parameters"]\nx = 1\n# %%\nprintln(x)\n',
    "a.js": '// %% [markdown]\n// # Head\n// %% fit tags=["parameters"]\nlet x = 1\n// %%\nconsole.log(x)\n',
    "a.ts": '// %% [markdown]\n// # Head\n// %% fit tags=["parameters"]\nlet x = 1\n// %%\nconsole.log(x)\n',
    "a.sh": '# %% [markdown]\n# # Head\n# %% fit tags=["parameters"]\nx=1\n# %%\necho $x\n',
    "a.md": '# Head\n\n```python name="fit" tags=["parameters"]\nx = 1\n```\n\n```python\nprint(x)\n```\n',
    "a.Rmd": '# Head\n\n```{r fit, tags=c("parameters")}\nx <- 1\n```\n\n```{r}\nprint(x)\n```\n',
    "a.qmd": "# Head\n\n```{python}\n#| label: fit\n#| tags: [parameters]\nx = 1\n```\n\n```{python}\nprint(x)\n```\n",
}
KERNELS = {
    "a.py": "",
    "a.R": "ir",
    "a.jl": "julia",
    "a.js": "javascript",
    "a.ts": "typescript",
    "a.sh": "bash",
    "a.md": "",
    "a.Rmd": "ir",
    "a.qmd": "",
}


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def read(path: Path) -> Any:
    return read_notebook(path, path.name)


@pytest.mark.parametrize("name", TEXTS)
def test_every_kind_of_text_gives_heading_parameters_and_code(tmp_path: Path, name: str) -> None:
    notebook = read(written(tmp_path, name, TEXTS[name]))
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code"]
    assert notebook.cells[0].source.strip() == "# Head"
    assert (name_of(notebook.cells[1]), tags_of(notebook.cells[1])) == ("fit", ["parameters"])
    assert "x" in notebook.cells[2].source


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_names_no_kernel_gets_its_language_s(tmp_path: Path, name: str) -> None:
    assert kernel_names(written(tmp_path, name, TEXTS[name]), name) == (KERNELS[name],)


@pytest.mark.parametrize("name", TEXTS)
def test_reading_twice_gives_the_same_and_leaves_the_file_alone(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, TEXTS[name])
    first = read(path)
    assert first == read(path)
    assert [cell.id for cell in first.cells] == ["cell-0", "cell-1", "cell-2"]
    assert list(outline(path, name).cells) == [dict(cell) for cell in first.cells]
    assert path.read_text() == TEXTS[name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "#!/usr/bin/env python\n# ---\n# jupyter:\n#   kernelspec:\n#     name: mine\n# ---\n# %%\n1\n"),
        ("a.jl", "# ---\n# jupyter:\n#   kernelspec:\n#     name: mine\n# ---\n# %%\n1\n"),
        ("a.ts", "// ---\n// jupyter:\n//   kernelspec:\n//     name: mine\n// ---\n// %%\n1\n"),
        ("a.md", "---\njupyter:\n  kernelspec:\n    name: mine\n---\n\n```python\n1\n```\n"),
        ("a.qmd", "---\ntitle: x\njupyter: mine\n---\n\n```{python}\n1\n```\n"),
        ("a.md", "---\nkernelspec:\n  name: mine\n---\n\n```{code-cell} python\n1\n```\n"),
    ],
)
def test_the_kernel_in_the_header_wins(tmp_path: Path, name: str, text: str) -> None:
    assert kernel_names(written(tmp_path, name, text), name) == ("mine",)


def test_a_header_that_is_not_yaml_counts_as_none() -> None:
    assert header_of("---\na: [\n---\n") == {}
    assert header_of("---\n- a\n---\n") == {}
    assert header_of("no header") == {}


def test_chunks_of_another_language_go_to_its_kernel_beside_r(tmp_path: Path) -> None:
    path = written(tmp_path, "a.Rmd", "```{r}\n1\n```\n\n```{python}\n2\n```\n\n```{r}\n3\n```\n")
    assert kernel_names(path, "a.Rmd") == ("ir", "python3")
    assert [(cell.source, kernel_label(cell)) for cell in read(path).cells] == [
        ("1", ""),
        ("2", "python3"),
        ("3", ""),
    ]


def test_magics_of_a_python_notebook_stay_magics(tmp_path: Path) -> None:
    path = written(tmp_path, "a.md", "```python\n1\n```\n\n```bash\nls\n```\n\n```python\n2\n```\n")
    assert kernel_names(path, "a.md") == ("",)
    assert read(path).cells[1].source == "%%bash\nls"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.Rmd", "```{r, eval=FALSE}\n1\n```\n"),
        ("a.qmd", "```{python}\n#| eval: false\n1\n```\n"),
        ("a.qmd", "```{python}\n1\n```\n\n```{r}\n#| eval: false\n1\n```\n"),
    ],
)
def test_a_chunk_that_is_not_to_be_evaluated_is_left_out(tmp_path: Path, name: str, text: str) -> None:
    assert SKIP_TAG in tags_of(read(written(tmp_path, name, text)).cells[-1])


def test_a_chunk_that_may_fail_is_tagged_so(tmp_path: Path) -> None:
    cell = read(written(tmp_path, "a.qmd", "```{python}\n#| error: true\n1\n```\n")).cells[0]
    assert tags_of(cell) == ["raises-exception"]


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"\xef\xbb\xbf# %%\r\nx = 1\r\n# %%\r\ny = 2\r\n")
    assert [cell.source for cell in read(path).cells] == ["x = 1", "y = 2"]


def test_text_that_is_not_utf_8_is_a_bad_notebook(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# %%\nx = '\xff'\n")
    with pytest.raises(BadNotebook, match="not UTF-8"):
        read(path)


def test_a_broken_header_is_a_bad_notebook_with_a_reason(tmp_path: Path) -> None:
    path = written(tmp_path, "a.py", "# ---\n# jupyter:\n#   kernelspec: {name: [}\n# ---\n# %%\n1\n")
    try:
        read(path)
    except BadNotebook as told:
        assert told.message  # noqa: PT017  # reading it as a comment is right as well


def test_without_jupytext_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupytext", None)
    path = written(tmp_path, "a.py", TEXTS["a.py"])
    for use in (read_notebook, kernel_names, outline):
        with pytest.raises(ToolMissing) as told:
            use(path, "a.py")
        assert "mlops-action[texts]" in told.value.hint

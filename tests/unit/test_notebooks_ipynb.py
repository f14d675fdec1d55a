"""Jupyter's own notebook format, read without touching the file; and what a notebook does, as a digest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action.errors import BadNotebook, FileMissing, MlopsError
from mlops_action.notebooks.digest import notebook_digest
from mlops_action.notebooks.files import json_of
from mlops_action.notebooks.read import kernel_names, outline, read_notebook, snippet_notebook
from mlops_action.records import KernelChoice

KERNEL = KernelChoice("python3", "/k", "python", ("python",), "Python 3")


def code(source: str = "1", **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def raw(*cells: dict[str, Any], minor: int = 5, **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": list(cells)}


def written(folder: Path, content: Any) -> Path:
    path = folder / "a.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def read(folder: Path, content: Any) -> Any:
    return read_notebook(written(folder, content), "a.ipynb")


def test_reading_a_notebook_never_touches_its_file(tmp_path: Path) -> None:
    path = written(tmp_path, raw(code(), minor=2))
    before = path.read_bytes(), path.stat().st_mtime_ns
    read_notebook(path, "a.ipynb")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_cells_without_an_id_get_the_same_one_each_time(tmp_path: Path) -> None:
    first, second = (read(tmp_path, raw(code("1"), code("2"), minor=2)) for _ in range(2))
    ids = [cell.id for cell in first.cells]
    assert ids == [cell.id for cell in second.cells]
    assert len(set(ids)) == 2


def test_ids_that_are_there_are_kept_and_repeated_ones_made_different(tmp_path: Path) -> None:
    notebook = read(tmp_path, raw(code(id="fit"), code(id="fit"), code(id="")))
    ids = [cell.id for cell in notebook.cells]
    assert ids[0] == "fit"
    assert len(set(ids)) == 3


def test_a_notebook_of_format_3_is_upgraded(tmp_path: Path) -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [{"cells": [{"cell_type": "code", "input": "1 + 1", "language": "python", "outputs": []}]}],
    }
    [cell] = read(tmp_path, old).cells
    assert cell.source == "1 + 1"


def test_the_kernel_s_name_is_told_without_reading_the_cells(tmp_path: Path) -> None:
    assert kernel_names(written(tmp_path, raw(kernelspec={"name": "ir"})), "a.ipynb") == ("ir",)


@pytest.mark.parametrize("metadata", [{}, {"kernelspec": None}, {"kernelspec": {"name": 3}}, {"kernelspec": []}])
def test_a_notebook_may_name_no_kernel(tmp_path: Path, metadata: dict[str, Any]) -> None:
    assert kernel_names(written(tmp_path, raw(**metadata)), "a.ipynb") == ("",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a notebook"),
        (b"<<<<<<< HEAD\n{}", "not a notebook"),
        (b"\xff\xfe", "not a notebook"),
        (b"[" * 100_000, "not a notebook"),
        ([], "not a notebook"),
        ({}, "no `nbformat`"),
        ({"nbformat": "4"}, "no `nbformat`"),
        ({"nbformat": True}, "no `nbformat`"),
        ({"nbformat": 2}, "format 2"),
        ({"nbformat": 5, "nbformat_minor": 0}, "format 5"),
        ({"nbformat": 4, "nbformat_minor": 5}, "not a valid notebook"),
        ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}, "not a valid notebook"),
        ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {"a": 1}}, "not a valid notebook"),
        (raw({"cell_type": "odd", "source": "", "metadata": {}}), "not a valid notebook"),
        ({"nbformat": 3, "metadata": {}, "worksheets": 5}, "not a valid notebook"),
    ],
)
def test_what_is_no_notebook_is_told_with_the_file(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(BadNotebook) as caught:
        read(tmp_path, content)
    assert said in caught.value.message
    assert caught.value.origin == "a.ipynb"


def test_a_missing_notebook_is_told_with_the_nearest_one_in_the_folder(tmp_path: Path) -> None:
    written(tmp_path, raw())
    (tmp_path / "train.ipynb").write_text("{}")
    with pytest.raises(FileMissing) as caught:
        read_notebook(tmp_path / "tain.ipynb", "tain.ipynb")
    assert caught.value.hint == "did you mean `train.ipynb`?"


@pytest.mark.parametrize("folder", ["a.ipynb", "deep"])
def test_a_folder_in_the_place_of_a_notebook_is_no_crash(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    with pytest.raises(MlopsError):
        read_notebook(tmp_path / "a.ipynb", "a.ipynb")


jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["cell_type", "source", "metadata", "outputs", "id", "execution_count", "input", "tags"])
cells = st.lists(st.dictionaries(keys, jsons | st.sampled_from(["code", "markdown", "raw"])) | jsons, max_size=3)
notebooks = st.fixed_dictionaries(
    {"nbformat": st.integers(2, 5) | jsons, "nbformat_minor": st.integers(0, 6) | jsons},
    optional={"metadata": jsons, "cells": cells | jsons, "worksheets": jsons},
)


@given(content=notebooks)
@settings(max_examples=150, deadline=None)
def test_no_json_raises_anything_but_an_error_for_the_user(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    path = written(tmp_path_factory.mktemp("nb"), content)
    for reading in (read_notebook, outline, kernel_names):
        try:
            reading(path, "a.ipynb")  # type: ignore[operator]
        except MlopsError as error:
            assert error.origin == "a.ipynb"  # noqa: PT017  # both ways are right; a crash is not


def test_a_snippet_is_a_notebook_of_one_cell_that_names_its_kernel() -> None:
    notebook = snippet_notebook("print(1)", KERNEL)
    assert [(cell.cell_type, cell.id, cell.source) for cell in notebook.cells] == [("code", "snippet", "print(1)")]
    assert notebook.metadata.kernelspec == {"name": "python3", "display_name": "Python 3", "language": "python"}


# --- digest


def digest(*cells: dict[str, Any], chosen: list[int] | None = None, kernel: str = "python3") -> str:
    return notebook_digest(raw(*cells), list(range(len(cells))) if chosen is None else chosen, kernel, "python")


def test_the_digest_depends_on_sources_their_order_and_the_kernel() -> None:
    found = {
        digest(code("1"), code("2")),
        digest(code("2"), code("1")),
        digest(code("1\n2")),
        digest(code("1"), code("2"), chosen=[0]),
        digest(code("1"), code("2"), kernel="ir"),
    }
    assert len(found) == 5


def test_the_digest_does_not_depend_on_outputs_ids_tags_and_line_ends() -> None:
    plain = digest(code("a\nb"))
    dressed = code("a\r\nb", id="x", execution_count=7, outputs=[{"output_type": "stream"}], metadata={"tags": ["t"]})
    assert digest(dressed) == plain


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"a\ud800b"', "a\ufffdb"),
        (r'"\uDFFF\ud83d\ude80"', "\ufffd🚀"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\\\ud800"', "\\\ufffd"),
        (r'"\ud800\n\udc00"', "\ufffd\n\ufffd"),
    ],
)
def test_half_of_a_character_is_read_as_the_sign_for_what_cannot_be_shown(
    tmp_path: Path, written: str, read: str
) -> None:
    (tmp_path / "a.ipynb").write_text(f'{{"nbformat": 4, "x": {written}}}')
    assert json_of(tmp_path / "a.ipynb", "a.ipynb")["x"] == read


def test_half_of_a_character_in_the_bytes_is_read_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes('{"nbformat": 4, "x": "a\ud800"}'.encode("utf-8", "surrogatepass"))
    assert json_of(tmp_path / "a.ipynb", "a.ipynb")["x"] == "a\ufffd"

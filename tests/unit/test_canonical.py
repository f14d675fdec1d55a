"""The quick way to canonical bytes gives those of the library that knows all of RFC 8785."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4.rwbase import split_lines, strip_transient

from mlops_action.canonical import canonical_bytes, text_in_json
from mlops_action.notebooks.saving import notebook_bytes

TEXTS = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e300, 1e300) | st.floats(-2, 2) | st.floats(1e-7, 1e17)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | TEXTS
    | st.floats(-1e300, 1e300)
    | st.floats(-2, 2)
    | st.floats(1e-7, 1e17),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(VALUES)
def test_bytes_are_those_of_rfc8785(value: Any) -> None:
    assert canonical_bytes(value) == canonical_bytes(value, long_texts=True) == rfc8785.dumps(value)


@given(st.text(st.sampled_from('a\n\r\t"\\\x00\x1f\x7f\x85\u2028é\U0001f600 ')) | TEXTS)
def test_a_text_is_written_as_python_writes_it(text: str) -> None:
    assert text_in_json(text) == json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("value", [2**53, [-(2**53)], {"a": "\ud800"}, {1: 2}, {"a": float("nan")}, {"\ud800": 1}])
def test_what_it_has_no_bytes_for_is_refused(value: Any) -> None:
    for long_texts in (False, True):
        with pytest.raises(ValueError, match=r"."):
            canonical_bytes(value, long_texts=long_texts)


@given(st.dictionaries(TEXTS, VALUES), VALUES, TEXTS)
def test_notebooks_are_written_as_python_writes_json(metadata: dict[str, Any], data: Any, text: str) -> None:
    output = {"output_type": "display_data", "data": {"application/json": data, "text/plain": text}, "metadata": {}}
    cell = {"cell_type": "code", "id": "a", "source": text, "metadata": {}, "outputs": [output]}
    notebook = nbformat.from_dict({"cells": [cell], "metadata": metadata})
    expected = strip_transient(split_lines(copy.deepcopy(notebook)))
    assert notebook_bytes(notebook) == json.dumps(expected, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

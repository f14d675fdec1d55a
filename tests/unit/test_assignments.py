"""Parameters as source text: executed, they give the same values back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action.errors import BadValue
from mlops_action.notebooks import LANGUAGES
from mlops_action.notebooks.assignments import assignments
from mlops_action.registry import load_from

texts = st.text(max_size=20) | st.sampled_from(["'", '"""', "\\", "\n", "${x}", "{}", "\u2028", "\x00", "\ud800", "#"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def executed(value: Any) -> Any:
    source = assignments(load_from(LANGUAGES, "python")(), {"x": value}, "here")
    names: dict[str, Any] = {}
    exec(source, {}, names)
    return names["x"]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and repr(one) == repr(other)


@given(values)
@settings(max_examples=300)
def test_python_gives_every_json_value_back_with_its_type(value: Any) -> None:
    assert same(value, executed(value))


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_python_gives_infinities_back(value: float) -> None:
    assert executed(value) == value


def test_python_gives_nan_back_inside_of_other_values() -> None:
    assert math.isnan(executed({"a": [math.nan]})["a"][0])


@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,8}_", fullmatch=True), texts, max_size=4))
def test_each_parameter_is_one_statement_in_the_given_order(parameters: dict[str, str]) -> None:
    names: dict[str, Any] = {}
    exec(assignments(load_from(LANGUAGES, "python")(), parameters, "here"), {}, names)
    assert list(names.items()) == list(parameters.items())


@pytest.mark.parametrize("name", ["a b", "1a", "a-b", "a.b", "", "a\n", "x; import os", "import", "lambda", "None"])
def test_what_cannot_be_the_name_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(BadValue) as caught:
        assignments(load_from(LANGUAGES, "python")(), {name: 1}, "mlops.yaml:3:1")
    assert caught.value.origin == "mlops.yaml:3:1"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_writes_a_comment_and_one_line_for_each_plain_value(language: str) -> None:
    writer = load_from(LANGUAGES, language)()
    lines = assignments(writer, {"rate": 0.5, "name": "a", "flag": True, "count": 3}, "here").splitlines()
    assert lines[0] == f"{writer.comment} Parameters"
    assert len(lines) == 5

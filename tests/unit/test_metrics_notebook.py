"""Values that an executed notebook shows as outputs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.notebook_values import SCRAP_MIME, VALUES_MIME, read_values


def cell(identifier: str, *bundles: dict[str, Any]) -> dict[str, Any]:
    outputs = [{"output_type": "display_data", "data": bundle, "metadata": {}} for bundle in bundles]
    return {"cell_type": "code", "id": identifier, "source": "", "outputs": outputs}


def values(value: Any) -> dict[str, Any]:
    return {VALUES_MIME: value, "text/plain": "ignored"}


def scrap(name: Any, data: Any, encoder: str = "json") -> dict[str, Any]:
    mime = SCRAP_MIME if encoder == "json" else f"application/scrapbook.scrap.{encoder}+json"
    return {mime: {"name": name, "data": data, "encoder": encoder, "version": 1}}


def read(*cells: dict[str, Any]) -> list[tuple[str, Decimal | None, str]]:
    notebook = json.loads(json.dumps({"nbformat": 4, "cells": list(cells)}))
    return [(r.name, r.value, r.origin) for r in read_values(notebook, "out/train.ipynb")]


def test_values_of_our_type_become_readings_of_their_cell() -> None:
    assert read(cell("fit", values({"accuracy": 0.95, "test": {"loss": [1, 0.1]}}))) == [
        ("accuracy", Decimal("0.95"), "out/train.ipynb#fit"),
        ("test.loss.0", Decimal(1), "out/train.ipynb#fit"),
        ("test.loss.1", Decimal("0.1"), "out/train.ipynb#fit"),
    ]


def test_what_is_no_number_in_our_type_has_no_value() -> None:
    found = read(cell("fit", values({"a": "0.95", "b": True, "c": None})))
    assert [(name, value) for name, value, _ in found] == [("a", None), ("b", None), ("c", None)]


def test_nan_in_our_type_stays_nan() -> None:
    [(_, value, _)] = read(cell("fit", values({"a": float("nan")})))
    assert str(value) == "NaN"


def test_infinities_in_our_type_stay_infinite() -> None:
    found = read(cell("fit", values({"a": float("inf"), "b": float("-inf")})))
    assert [str(value) for _, value, _ in found] == ["Infinity", "-Infinity"]


@pytest.mark.parametrize("value", [0.95, [0.95], "0.95", None])
def test_our_type_without_an_object_is_refused_with_its_cell(value: Any) -> None:
    with pytest.raises(MetricUnreadable) as caught:
        read(cell("fit", values(value)))
    assert caught.value.origin == "out/train.ipynb#fit"


def test_two_ways_to_one_name_in_one_output_are_refused() -> None:
    with pytest.raises(MetricUnreadable, match="twice"):
        read(cell("fit", values({"a.b": 1, "a": {"b": 2}})))


def test_later_values_replace_earlier_ones() -> None:
    found = read(cell("one", values({"a": 1, "b": 1}), values({"a": 2})), cell("two", scrap("a", 3)))
    assert found == [("b", Decimal(1), "out/train.ipynb#one"), ("a", Decimal(3), "out/train.ipynb#two")]


def test_a_later_text_leaves_no_earlier_number_standing() -> None:
    assert read(cell("one", values({"a": 0.99})), cell("two", values({"a": "diverged"})))[0][1] is None


def test_numbers_of_scrapbook_become_readings() -> None:
    assert read(cell("x", scrap("auc", 0.9), scrap("n", 171))) == [
        ("auc", Decimal("0.9"), "out/train.ipynb#x"),
        ("n", Decimal(171), "out/train.ipynb#x"),
    ]


def test_objects_of_numbers_of_scrapbook_become_dotted_readings() -> None:
    found = read(cell("x", scrap("test", {"auc": 0.9, "note": "fine", "curve": [1, 2, 3]})))
    assert [(name, value) for name, value, _ in found] == [("test.auc", Decimal("0.9"))]


@pytest.mark.parametrize("data", ["0.9", True, None, [1, 2, 3], ["text"]])
def test_scraps_that_are_no_numbers_are_no_readings(data: Any) -> None:
    assert read(cell("x", scrap("auc", data))) == []


@pytest.mark.parametrize("later", [scrap("auc", "n/a"), scrap("auc", "n/a", "text"), scrap("auc", None)])
def test_a_later_scrap_without_a_number_removes_the_earlier_number(later: dict[str, Any]) -> None:
    assert read(cell("x", scrap("auc", 0.99)), cell("y", later)) == []


@pytest.mark.parametrize("bundle", [{SCRAP_MIME: "text"}, {SCRAP_MIME: {"data": 1, "encoder": "json"}}, scrap(7, 1)])
def test_foreign_scraps_that_make_no_sense_are_left_alone(bundle: dict[str, Any]) -> None:
    assert read(cell("x", bundle)) == []


def test_cells_without_an_id_are_named_by_their_place() -> None:
    old = cell("", values({"a": 1}))
    del old["id"]
    assert read({"cell_type": "markdown", "source": "#"}, old)[0][2] == "out/train.ipynb#1"


def test_streams_and_errors_hold_no_values() -> None:
    outputs = [{"output_type": "stream", "name": "stdout", "text": "accuracy 1"}, {"output_type": "error"}]
    assert read({"cell_type": "code", "id": "x", "source": "", "outputs": outputs}) == []


def test_absurd_numbers_are_refused_with_their_cell() -> None:
    notebook = {"cells": [cell("x", values({"a": 10**5000}))]}
    with pytest.raises(MetricUnreadable, match="too long or too large") as caught:
        read_values(notebook, "n.ipynb")
    assert caught.value.origin == "n.ipynb#x"


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_read_as_their_shortest_text(number: float) -> None:
    [(_, value, _)] = read(cell("x", values({"a": number})))
    assert value == Decimal(repr(number))


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(trees, trees, trees)
def test_any_value_gives_readings_or_a_refusal(ours: Any, name: Any, data: Any) -> None:
    origin = origin_of_refusal({"cells": [cell("x", {VALUES_MIME: ours}, scrap(name, data))]})
    assert not origin or origin.startswith("n.ipynb#x")


def origin_of_refusal(notebook: dict[str, Any]) -> str:
    """Where the notebook's values were refused, or nothing when they were read."""
    try:
        found = read_values(notebook, "n.ipynb")
    except MetricUnreadable as problem:
        return problem.origin
    assert len({reading.name for reading in found}) == len(found)
    return ""

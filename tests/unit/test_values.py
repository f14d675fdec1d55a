"""Values that notebooks record."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_action.notebooks.values import MAX_BYTES, SCRAP_MIME, VALUES_MIME, look_up, recorded_values


def notebook(*bundles: dict[str, Any]) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "outputs": [{"data": bundle}]} for bundle in bundles]}


def test_values_of_any_kind_are_kept_by_name() -> None:
    values, large = recorded_values(notebook({VALUES_MIME: {"lr": 0.1, "best": {"depth": 3}, "names": ["a"]}}))
    assert values == {"lr": 0.1, "best": {"depth": 3}, "names": ["a"]}
    assert large == []


def test_a_later_value_of_the_same_name_counts() -> None:
    values, _ = recorded_values(notebook({VALUES_MIME: {"a": 1}}, {VALUES_MIME: {"a": 2}}))
    assert values == {"a": 2}


def test_what_scrapbook_glues_is_read_as_well() -> None:
    values, _ = recorded_values(notebook({SCRAP_MIME: {"name": "auc", "data": 0.9, "encoder": "json", "version": 1}}))
    assert values == {"auc": 0.9}


def test_a_value_that_is_too_large_is_named_and_left_out() -> None:
    values, large = recorded_values(notebook({VALUES_MIME: {"big": "x" * MAX_BYTES, "small": 1}}))
    assert values == {"small": 1}
    assert large == ["big"]


@pytest.mark.parametrize("bundle", [{VALUES_MIME: [1]}, {VALUES_MIME: None}, {SCRAP_MIME: {"name": 3}}, {}])
def test_outputs_of_another_shape_record_nothing(bundle: dict[str, Any]) -> None:
    assert recorded_values(notebook(bundle)) == ({}, [])


def test_dots_lead_into_nested_values_unless_the_name_itself_is_there() -> None:
    values = {"best": {"depth": 3}, "a.b": 1}
    assert look_up(values, "best.depth") == 3
    assert look_up(values, "a.b") == 1
    with pytest.raises(KeyError):
        look_up(values, "best.width")

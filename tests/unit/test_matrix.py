"""Combinations of a matrix, as GitHub makes them."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_action.config.matrix import MAX_COMBINATIONS, matrix, variant_of, variant_step


def combinations(value: Any) -> list[dict[str, Any]]:
    return matrix(value).combinations()


def test_axes_are_crossed_in_their_order() -> None:
    assert combinations({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_the_example_of_github_s_documentation_gives_its_result() -> None:
    found = combinations(
        {
            "fruit": ["apple", "pear"],
            "animal": ["cat", "dog"],
            "include": [
                {"color": "green"},
                {"color": "pink", "animal": "cat"},
                {"fruit": "apple", "shape": "circle"},
                {"fruit": "banana"},
                {"fruit": "banana", "animal": "cat"},
            ],
        }
    )
    assert found == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_exclude_leaves_out_what_agrees_on_all_it_names() -> None:
    assert combinations({"a": [1, 2], "b": [1, 2], "exclude": [{"a": 1}, {"a": 2, "b": 1}]}) == [{"a": 2, "b": 2}]


def test_what_was_excluded_may_be_included_again() -> None:
    found = combinations({"a": [1, 2], "exclude": [{"a": 1}], "include": [{"a": 1, "b": 3}]})
    assert found == [{"a": 2}, {"a": 1, "b": 3}]


def test_include_alone_makes_each_entry_a_combination() -> None:
    assert combinations({"include": [{"a": 1}, {"a": 2, "b": 3}]}) == [{"a": 1}, {"a": 2, "b": 3}]


def test_true_is_not_the_number_one() -> None:
    assert combinations({"a": [1, True], "exclude": [{"a": True}]}) == [{"a": 1}]


def test_combinations_do_not_share_what_include_adds() -> None:
    built = matrix({"a": [1, 2], "include": [{"b": 1}]})
    built.combinations()[0]["b"] = "changed"
    assert built.combinations()[0]["b"] == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "mapping"),
        ({}, "mapping"),
        ({"a": 1}, "`a` must be a list"),
        ({"a": []}, "`a` must be a list"),
        ({"include": {}}, "`include` must be"),
        ({"a": [1], "include": [{}]}, "`include` must be"),
        ({"a": [1], "exclude": [1]}, "`exclude` must be"),
        ({"a": [1], "exclude": [{"a": 1}]}, "0 combinations"),
        ({"a": [1, 2], "exclude": [{"a": 3}]}, "`exclude` has `a=3`"),
        ({"a": [1, 2], "exclude": [{"b": 3}]}, "`exclude` has `b=3`"),
        ({"a": [1, 1]}, "there twice"),
        ({"a": list(range(MAX_COMBINATIONS + 1))}, f"at most {MAX_COMBINATIONS}"),
        ({name: list(range(100)) for name in "abcdefgh"}, "at most"),
    ],
)
def test_a_matrix_that_makes_no_sense_is_refused_with_a_reason(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        matrix(value)


def test_a_combination_has_a_text_and_a_name_that_fits_a_file() -> None:
    combination = {"depth": 3, "model": "a/b c", "opts": {"x": 1}, "on": True, "none": None, "odd": "…"}
    assert variant_of(combination) == 'depth=3,model=a/b c,opts={"x": 1},on=true,none=null,odd=…'
    assert variant_step("train", combination) == "train-3-a_b_c-x_1-true-null-x"

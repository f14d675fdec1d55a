"""Errors: codes, slugs and help for misspelt names."""

from __future__ import annotations

import re

import pytest

from mlops_action import errors
from mlops_action.errors import BadValue, ExitCode, MlopsError, Problems, SpecError, StepFailed, all_errors, nearest


def test_exit_codes_are_those_that_the_design_promises() -> None:
    promised = {0, 1, 2, 3, 4, 5, 70, 130, 143}
    assert {int(code) for code in ExitCode} == promised


def test_every_exit_code_says_what_it_means() -> None:
    assert all(code.doc.endswith(".") for code in ExitCode)


def test_every_error_has_a_slug_of_its_own() -> None:
    slugs = [error.slug for error in all_errors()]
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", slug) for slug in slugs)
    assert len(slugs) == len(set(slugs))


def test_every_error_is_documented_by_its_first_line() -> None:
    undocumented = [error.__name__ for error in all_errors() if not (error.__doc__ or "").strip().endswith(".")]
    assert undocumented == []


def test_no_error_of_the_user_ends_as_success_or_as_our_bug() -> None:
    assert {error.exit_code for error in all_errors()} & {ExitCode.PASSED, ExitCode.BUG} == set()


def test_every_error_class_of_the_module_is_listed() -> None:
    there = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, MlopsError)}
    assert there - {MlopsError} == set(all_errors())


def test_an_error_shows_its_place_before_its_message() -> None:
    assert str(SpecError("is wrong", origin="mlops.yaml:3:1")) == "mlops.yaml:3:1: is wrong"
    assert str(SpecError("is wrong")) == "is wrong"


def test_several_problems_end_with_the_code_of_the_first() -> None:
    assert Problems([StepFailed("a"), BadValue("b")]).exit_code is ExitCode.STEP_FAILED
    assert Problems([BadValue("b"), StepFailed("a")]).exit_code is ExitCode.USAGE


@pytest.mark.parametrize(("count", "said"), [(1, "1 problem"), (2, "2 problems")])
def test_problems_are_counted_in_plain_english(count: int, said: str) -> None:
    assert str(Problems([BadValue("x")] * count)) == said


def test_a_misspelt_name_gets_the_nearest_known_one() -> None:
    assert nearest("acuracy", ["loss", "accuracy", "auc"]) == "did you mean `accuracy`?"


def test_a_name_like_no_other_gets_the_list_of_known_ones() -> None:
    assert nearest("zzz", ["loss", "auc"]) == "known: `loss`, `auc`"


def test_nothing_is_suggested_where_nothing_is_known() -> None:
    assert nearest("zzz", []) == ""

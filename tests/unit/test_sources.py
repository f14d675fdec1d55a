"""Options from the command line and from action inputs."""

from __future__ import annotations

from dataclasses import Field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.config.options import Options, former_names, input_name, option_fields
from mlops_action.config.sources import from_command_line, from_inputs
from mlops_action.errors import BadValue, Problems, UnknownInput


def refused(env: dict[str, str]) -> list[str]:
    with pytest.raises(Problems) as caught:
        from_inputs(env)
    return [f"{error} ({error.hint})" for error in caught.value.problems]


def test_without_inputs_every_option_has_its_default() -> None:
    assert from_inputs({"PATH": "/bin"}).options == Options()
    assert from_command_line({}).options == Options()


@pytest.mark.parametrize("variable", ["INPUT_OUTPUT-DIR", "INPUT_OUTPUT_DIR", "input_output-dir"])
def test_an_input_is_known_by_every_spelling_that_runners_use(variable: str) -> None:
    settings = from_inputs({variable: "results"})
    assert settings.options.output_dir == "results"
    assert settings.origin("output_dir") == variable


def test_an_empty_input_was_not_given() -> None:
    settings = from_inputs({"INPUT_OUTPUT-DIR": "  ", "INPUT_STEPS": "\n"})
    assert settings.options == Options()
    assert settings.origin("output_dir") == "default"


def test_a_list_input_is_one_item_a_line() -> None:
    assert from_inputs({"INPUT_STEPS": " a \n\n b\r\n"}).options.steps == ("a", "b")


def test_a_policy_keeps_its_indentation() -> None:
    text = "floor:\n  metric: a\n  min: 1\n"
    assert from_inputs({"INPUT_GATES": text}).options.gates == text


@pytest.mark.parametrize("text", ["rate=0.5\nname=a: b=c", "  rate=0.5\n\n  name=a: b=c  "])
def test_parameters_are_lines_of_names_and_values(text: str) -> None:
    assert from_inputs({"INPUT_PARAMETERS": text}).options.parameters == ("rate=0.5", "name=a: b=c")


def test_parameters_may_be_a_mapping_as_well() -> None:
    settings = from_inputs({"INPUT_PARAMETERS": "rate: 0.5\nname: 'yes'\nitems: [1, a]"})
    assert settings.options.parameters == ("rate=0.5", 'name="yes"', 'items=[1, "a"]')


@pytest.mark.parametrize("text", ["just text", "- a\n- b", "{a"])
def test_parameters_that_are_neither_are_refused(text: str) -> None:
    [said] = refused({"INPUT_PARAMETERS": text})
    assert said.startswith("INPUT_PARAMETERS")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), (" FALSE ", False)])
def test_a_flag_is_true_or_false_in_any_case(text: str, value: bool) -> None:
    assert from_inputs({"INPUT_DRY-RUN": text}).options.dry_run is value


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"INPUT_GATEZ": "x"}, "INPUT_GATEZ: there is no input `gatez` (did you mean `gates`?)"),
        ({"INPUT_GATEZ": ""}, "INPUT_GATEZ: there is no input `gatez` (did you mean `gates`?)"),
        ({"INPUT_DRY-RUN": "yes"}, "INPUT_DRY-RUN: `dry-run`: expected `true` or `false`, got `yes` ()"),
        ({"INPUT_TIMEOUT": "soon"}, "INPUT_TIMEOUT: `timeout`: expected a duration such as `90s`, `20m` or `1h30m` ()"),
    ],
)
def test_a_wrong_input_is_told_by_the_name_of_its_variable(env: dict[str, str], said: str) -> None:
    assert refused(env) == [said]


def test_all_wrong_inputs_are_told_at_once() -> None:
    with pytest.raises(Problems) as caught:
        from_inputs({"INPUT_X": "1", "INPUT_Y": "2", "INPUT_TIMEOUT": "z"})
    assert [type(error) for error in caught.value.problems] == [UnknownInput, UnknownInput, BadValue]


def test_a_number_that_is_none_is_refused_and_no_crash() -> None:
    assert refused({"INPUT_ANNOTATIONS": "many"}) != []


@pytest.mark.parametrize("item", option_fields(), ids=input_name)
def test_every_option_can_be_given_as_an_input(item: Field[Any]) -> None:
    name = input_name(item)
    command = next((each for each in item.metadata["commands"] if each in {"plan", "merge", "comment"}), "")
    for text in ("1", "true", "a=1", "1/2", "html"):
        try:
            assert from_inputs({f"INPUT_{name.upper()}": text}, command).origins
        except Problems:
            continue
        return
    pytest.fail(f"no value fits `{name}`")


@pytest.mark.parametrize("command", ["", "run", "gate", "snippet", "manifest"])
def test_an_input_of_another_action_is_refused_with_the_name_of_that_one(command: str) -> None:
    with pytest.raises(Problems) as caught:
        from_inputs({"INPUT_PARTS": "4"}, command)
    [problem] = caught.value.problems
    assert str(problem).startswith("INPUT_PARTS: `parts` is no input of ")
    assert "`plan`" in problem.hint


FORMER = [(item, name) for item in option_fields() for name in former_names(item)]


@pytest.mark.parametrize(("item", "name"), FORMER, ids=[name for _, name in FORMER])
def test_a_former_name_of_an_input_works_and_the_user_is_told_the_new_one(item: Field[Any], name: str) -> None:
    settings = from_inputs({f"INPUT_{name.upper()}": "x"})
    assert getattr(settings.options, item.name) == "x"
    [note] = settings.notes
    assert f"`{name}` is called `{input_name(item)}`" in note
    assert from_inputs({f"INPUT_{input_name(item).upper()}": "x", f"INPUT_{name.upper()}": ""}).notes == ()


def test_an_input_that_says_one_thing_by_its_name_and_another_by_its_former_one_is_refused() -> None:
    [said] = refused({"INPUT_KERNEL": "ir", "INPUT_KERNEL-NAME": "python3"})
    assert "INPUT_KERNEL says something else" in said
    assert from_inputs({"INPUT_KERNEL": "ir", "INPUT_KERNEL-NAME": "ir"}).options.kernel == "ir"


def test_there_are_former_names_to_test() -> None:
    assert FORMER


def test_values_of_the_command_line_remember_their_flag() -> None:
    settings = from_command_line({"parameters": ("a=1",), "timeout": "2m", "steps": ("one",), "gates": None})
    assert (settings.options.parameters, settings.options.timeout, settings.options.steps) == (("a=1",), 120, ("one",))
    assert [settings.origin(name) for name in ("parameters", "timeout", "steps", "gates")] == [
        "--parameter",
        "--timeout",
        "`steps`",
        "default",
    ]


def test_a_wrong_value_on_the_command_line_is_told_by_its_flag() -> None:
    with pytest.raises(Problems) as caught:
        from_command_line({"timeout": "soon"})
    assert str(caught.value.problems[0]).startswith("--timeout: expected a duration")


@given(st.dictionaries(st.sampled_from([f"INPUT_{input_name(item).upper()}" for item in option_fields()]), st.text()))
def test_no_text_of_an_input_raises_anything_but_problems(env: dict[str, str]) -> None:
    try:
        from_inputs(env)
    except Problems as found:
        assert found.problems  # noqa: PT017  # most texts are right

"""JSON metric files: what their nesting means, and which are refused."""

from __future__ import annotations

import pytest

from mlops_action.errors import MetricUnreadable
from mlops_action.metrics.json_file import JsonFile


def names_and_places(text: str) -> list[tuple[str, str]]:
    return [(reading.name, reading.origin) for reading in JsonFile().read(text.encode(), "metrics.json")]


def refusal(text: str) -> MetricUnreadable:
    with pytest.raises(MetricUnreadable) as caught:
        JsonFile().read(text.encode(), "metrics.json")
    return caught.value


def test_nested_objects_and_lists_become_dotted_names() -> None:
    assert names_and_places('{"test": {"loss": 0.1, "fold": [1, {"auc": 2}]}, "n": 3}') == [
        ("test.loss", "metrics.json#/test/loss"),
        ("test.fold.0", "metrics.json#/test/fold/0"),
        ("test.fold.1.auc", "metrics.json#/test/fold/1/auc"),
        ("n", "metrics.json#/n"),
    ]


def test_pointers_escape_what_json_pointers_escape() -> None:
    assert names_and_places('{"a/b": {"c~d": 1}}') == [("a/b.c~d", "metrics.json#/a~1b/c~0d")]


def test_empty_objects_and_lists_hold_no_reading() -> None:
    assert names_and_places('{"a": {}, "b": []}') == []


def test_two_ways_to_the_same_dotted_name_are_refused() -> None:
    problem = refusal('{"a.b": 1, "a": {"b": 2}}')
    assert problem.message == "`a.b` is there twice, first at metrics.json#/a.b"
    assert problem.origin == "metrics.json#/a/b"
    assert refusal('{"a": [1], "a.0": 2}').origin == "metrics.json#/a.0"


def test_a_repeated_key_is_refused_with_its_place() -> None:
    problem = refusal('{"test": {"loss": 0.1, "loss": 0.2}}')
    assert problem.message == "the key `loss` is there twice"
    assert problem.origin == "metrics.json#/test/loss"


def test_a_repeated_key_of_objects_is_refused() -> None:
    assert refusal('{"test": {"a": 1}, "test": {"b": 2}}').origin == "metrics.json#/test"


@pytest.mark.parametrize("text", ["0.95", "[0.95]", '"0.95"', "null", "NaN"])
def test_a_file_without_an_object_is_refused_with_an_example(text: str) -> None:
    problem = refusal(text)
    assert "does not hold an object" in problem.message
    assert '{"accuracy": 0.95' in problem.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,}', "metrics.json:1:9"),
        ('{\n  "a": 1\n  "b": 2\n}', "metrics.json:3:3"),
        ("{'a': 1}", "metrics.json:1:2"),
        ('{"a": 1} {"a": 2}', "metrics.json:1:10"),
        ('{"a": +1}', "metrics.json:1:7"),
        ('{"a": 0x10}', "metrics.json:1:8"),
    ],
)
def test_what_is_not_json_is_refused_with_line_and_column(text: str, place: str) -> None:
    problem = refusal(text)
    assert problem.origin == place
    assert problem.message.startswith("not JSON: ")
    assert problem.hint


def test_deep_nesting_is_refused_with_its_place() -> None:
    problem = refusal('{"a":' * 62 + "1" + "}" * 62)
    assert "nested more than 60 deep" in problem.message
    assert problem.origin.startswith("metrics.json#/a/a/a")

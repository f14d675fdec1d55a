"""YAML: plain data with places, and nothing in it can do harm."""

from __future__ import annotations

import contextlib
import math
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_action.config.yaml_source import MAX_BYTES, MAX_NODES, parse_yaml
from mlops_action.errors import YamlError

pieces = st.sampled_from(
    [
        *("a", "b: ", "- ", "? ", ": ", "\n", "  ", "{", "}", "[", "]", ",", "&a ", "*a", "!!int ", "!x ", "<<: "),
        *("|\n", ">-\n", '"', "'", "\\U", "\\x0", "%YAML 1.9\n", "%TAG ! x\n", "---\n", "...\n", "#", "\t", "\0"),
        *("0x", "1e", "9" * 30, "~", "true", ".nan", "!!float ", "!!binary ", "\u2028", "\ufeff", "=", "@", "`"),
    ]
)
BOUND_SECONDS = 20
"""Far above what any machine needs, and far below what takes for ever."""
soup = st.lists(pieces | st.text(max_size=2), max_size=25).map("".join)


def check(text: bytes | str) -> None:
    begun = time.process_time()
    with contextlib.suppress(YamlError):
        parse_yaml(text, "f.yaml")
    assert time.process_time() - begun < BOUND_SECONDS


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything_but_a_yaml_error(data: bytes) -> None:
    check(data)


@given(soup)
@example('"\\UFFFFFFFF"')
@example("%YAML " + "1" * 5000 + ".1\n--- a")
@example("!!int abc")
@example("!!bool abc")
@example("!!float 1_x")
@example("[" * 2000)
@example("{" * 2000)
@settings(max_examples=500, deadline=None)
def test_no_soup_of_yaml_signs_raises_anything_but_a_yaml_error(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" + "a," * 500_000,
        "- a\n" * 250_000,
        "[" * MAX_BYTES,
        "{" * MAX_BYTES,
        '"' + "\n" * 1_000_000 + '"',
        "".join(f"- &a{i} x\n" for i in range(49_000)),
        "a: &a [x]\n" + "".join(f"k{i}: [*a, *a]\n" for i in range(30_000)),
        "%FOO bar\n" * 100_000 + "--- a",
        "".join(" " * i + "a:\n" for i in range(1300)),
    ],
    ids=range(9),
)
def test_a_file_of_the_largest_size_is_read_or_refused_in_bounded_time(text: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(YamlError):
        parse_yaml(text, "f.yaml")
    assert time.process_time() - begun < BOUND_SECONDS


def test_aliases_that_expand_without_bound_are_refused() -> None:
    names = "abcdefghij"
    text = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in pairwise(names)
    )
    with pytest.raises(YamlError, match=str(MAX_NODES)):
        parse_yaml(text, "f.yaml")


def test_an_alias_that_contains_itself_is_refused() -> None:
    with pytest.raises(YamlError, match=r"nested more than \d+ deep"):
        parse_yaml("a: &a [*a]", "f.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("1e-3", 0.001),
        ("+1.5", 1.5),
        (".5", 0.5),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1_000", "1_000"),
        ("-3", -3),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("[1, a, {b: c}]", [1, "a", {"b": "c"}]),
        ("1: 2", {"1": 2}),
        ("null: 2", {"null": 2}),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("!!str 1", "1"),
        ("!!int '7'", 7),
    ],
)
def test_plain_scalars_are_what_yaml_12_says(text: str, value: Any) -> None:
    data = parse_yaml(f"x: {text}" if ":" not in text or text[0] in "'[" else text, "f").data
    found = data["x"] if isinstance(data, dict) and "x" in data else data
    assert found == value
    assert type(found) is type(value) or isinstance(found, type(value))


def test_nan_is_a_number_that_is_not_one() -> None:
    assert math.isnan(parse_yaml("x: .nan", "f").data["x"])


def test_a_document_of_nothing_is_an_empty_mapping() -> None:
    assert parse_yaml("# only a comment\n", "f").data == {}


def test_a_byte_order_mark_does_not_count() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: 1", "f").data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "f:2:1: the key `a` is here twice (first in line 1)"),
        ("a:\n  b: 1\n  b: 2", "f:3:3: the key `b` is here twice (first in line 2)"),
        ("? [a]\n: b", "f:1:3: a key must be a text"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "f:3:3: merge keys (`<<`) are not supported"),
        ("a: !!python/name:os.system", "is not allowed"),
        ("a: !!python/object/apply:os.system [x]", "is not allowed"),
        ("a: !include b.yaml", "the tag `!include` is not allowed"),
        ("a: !!set {b}", "is not allowed"),
        ("a: !reference [x, y]", "the tag `!reference` is not allowed"),
        ("a: !!binary aGk=", "is not allowed"),
        ("a: !!int b", "f:1:4: `b` does not fit its tag `!!int`"),
        ("a\n---\nb", "expected a single document"),
        ("a: b: c", "f:1:5: not YAML"),
        ("\ta: b", "f:1:1: not YAML"),
        ("a: *b", "undefined alias"),
        ('a: "\\0"', "f:1:4: a text must not hold NUL"),
        ('a: "\\ud800"', "f:1:4: a text must not hold NUL or half of a character"),
        ("a: " + "9" * 5000, "f:1:4: a number of more than"),
        ("\x00", "special characters are not allowed"),
    ],
)
def test_what_is_refused_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text, "f")
    assert said in str(caught.value)


def test_text_that_is_not_utf8_is_told_with_its_byte() -> None:
    with pytest.raises(YamlError, match=r"not UTF-8 text: .* at byte 3"):
        parse_yaml(b"a: \xff", "f")


def test_a_file_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(YamlError, match=f"at most {MAX_BYTES} are read"):
        parse_yaml(b"#" * (MAX_BYTES + 1), "f")


def test_every_value_knows_its_place_and_keys_theirs() -> None:
    located = parse_yaml("steps:\n  one:\n    inputs: [a, b]\n", "mlops.yaml")
    assert located.origin("/steps/one") == "mlops.yaml:2:3"
    assert located.origin("/steps/one/inputs/1") == "mlops.yaml:3:17"


def test_a_place_that_is_not_there_is_told_by_the_thing_around_it() -> None:
    located = parse_yaml("steps:\n  one: {}\n", "mlops.yaml")
    assert located.origin("/steps/one/kernel") == "mlops.yaml:2:3"
    assert parse_yaml("", "mlops.yaml").origin("/steps") == "mlops.yaml"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_the_one_that_is_written(value: float) -> None:
    assert parse_yaml(f"x: {value!r}", "f").data["x"] == value

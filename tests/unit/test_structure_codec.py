"""Plain data to records and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.codec import decode, encode, load_document, map_text
from mlops_action.errors import BadDocument
from mlops_action.records import Failure, MetricReading, PlannedGate, StepResult, Verdict
from mlops_action.structure import LEFT_OUT, Structurer, exact_number, kind_name
from mlops_action.vocabulary import FailureKind, Outcome, StepStatus


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


def doubled(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("expected something to double")
    return value * 2


@dataclass(frozen=True)
class Inner:
    name: str
    size_of_it: int = 0


@dataclass(frozen=True)
class Outer:
    inner: Inner
    many: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = field(default_factory=dict)
    share: float = 0.0
    exact: Decimal | None = None
    flag: bool = False
    color: Color = Color.RED
    either: dict[str, Inner] | str = ""
    twice: int = field(default=0, metadata={"parse": doubled})
    pass_: str = ""
    anything: Any = None


def read(kind: Any, value: Any) -> tuple[Any, list[str]]:
    structurer = Structurer()
    built = structurer.read(kind, value, "")
    return built, [f"{misfit.pointer}: {misfit.message}" for misfit in structurer.misfits]


def test_nested_data_becomes_nested_records() -> None:
    built, misfits = read(
        Outer,
        {
            "inner": {"name": "a", "size-of-it": 3},
            "many": [{"name": "b"}],
            "by-name": {"x": {"name": "c"}},
            "share": 1,
            "exact": 0.1,
            "color": "blue",
            "either": "text",
            "twice": 4,
            "pass": "p",
            "anything": [1, {"a": None}],
        },
    )
    assert misfits == []
    assert built == Outer(
        Inner("a", 3),
        (Inner("b"),),
        {"x": Inner("c")},
        1,
        Decimal("0.1"),
        color=Color.BLUE,
        either="text",
        twice=8,
        pass_="p",
        anything=[1, {"a": None}],
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inner": {}}, "/inner: `name` is missing"),
        ({"inner": None}, "/inner: expected a mapping, got nothing"),
        ({"inner": {"name": 3}}, "/inner/name: expected text, got a whole number (`3`)"),
        ({"many": {"name": "a"}}, "/many: expected a list, got a mapping"),
        ({"many": [{"name": "a"}, 7]}, "/many/1: expected a mapping, got a whole number"),
        ({"share": "x"}, "/share: expected a number, got text (`x`)"),
        ({"share": True}, "/share: expected a number, got true or false (`True`)"),
        ({"flag": 1}, "/flag: expected true or false, got a whole number (`1`)"),
        ({"color": "green"}, "/color: expected one of `red`, `blue`, got text (`green`)"),
        ({"exact": "many"}, "/exact: expected a number, got text (`many`)"),
        ({"twice": "x"}, "/twice: expected something to double"),
        ({"either": 3}, "/either: expected a mapping, got a whole number"),
        ({"colour": "red"}, "/colour: unknown key"),
        ({"pass_": "p"}, "/pass_: unknown key"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(change: dict[str, Any], said: str) -> None:
    _, misfits = read(Outer, {"inner": {"name": "a"}} | change)
    assert misfits == [said]


def test_all_misfits_are_told_at_once() -> None:
    built, misfits = read(Outer, {"inner": {"nam": 1}, "flag": 3, "many": 5})
    assert built is LEFT_OUT
    assert len(misfits) == 4


def test_the_rest_is_built_without_what_does_not_fit() -> None:
    built, _ = read(Outer, {"inner": {"name": "a"}, "flag": 3, "many": [{"name": "b"}, 7]})
    assert built == Outer(Inner("a"), (Inner("b"),))


def test_a_long_value_is_shortened_in_the_message() -> None:
    _, [said] = read(int, "x" * 100)
    assert len(said) < 100


@pytest.mark.parametrize("value", [True, None, [], {}, "zwölf", "1e", object()])
def test_only_numbers_are_read_as_numbers(value: Any) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        exact_number(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_as_its_shortest_decimal_text(value: float) -> None:
    assert exact_number(value) == Decimal(repr(value))


def test_kinds_have_names_that_people_understand() -> None:
    assert [kind_name(kind) for kind in (str, int, dict[str, int], tuple[str, ...], Inner, Color)] == [
        "text",
        "a whole number",
        "a mapping",
        "a list",
        "a mapping",
        "one of `red`, `blue`",
    ]


# --- codec


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("0.1"), 0.1),
        (Decimal(5), 5),
        (Decimal("1E+3"), 1000),
        (Decimal("0.10000000000000000001"), "0.10000000000000000001"),
        (Decimal("NaN"), "NaN"),
        (Decimal("-Infinity"), "-Infinity"),
        (Outcome.WARN, "warn"),
        ((1, (2,)), [1, [2]]),
        ({1: Decimal(2)}, {"1": 2}),
    ],
)
def test_values_are_written_as_json_that_holds_them_exactly(value: Any, written: Any) -> None:
    assert encode(value) == written
    assert type(encode(value)) is type(written)


texts = st.text(max_size=10)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.just(Decimal("1e-30"))
readings = st.builds(MetricReading, texts, st.none() | numbers, texts, texts, texts)
failures = st.builds(Failure, st.sampled_from(FailureKind), texts, texts, st.none() | st.integers(0, 9), texts)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
gates = st.builds(PlannedGate, texts, texts, texts, st.dictionaries(texts, jsons, max_size=2), texts)
verdicts = st.builds(Verdict, texts, st.sampled_from(Outcome), texts, texts, texts, texts, texts, st.none() | numbers)
results = st.builds(
    StepResult,
    texts,
    st.sampled_from(StepStatus),
    readings=st.lists(readings, max_size=3).map(tuple),
    failure=st.none() | failures,
)


@given(readings | gates | verdicts | results)
def test_every_record_survives_its_journey_through_json(record: Any) -> None:
    text = json.dumps(encode(record), allow_nan=False)
    assert decode(type(record), json.loads(text), "here") == record


def test_a_document_that_does_not_fit_tells_where() -> None:
    with pytest.raises(BadDocument) as caught:
        decode(Outer, {"inner": {"name": "a"}, "many": [{"name": 1}]}, "run.json")
    assert str(caught.value) == "run.json: /many/0/name: expected text, got a whole number (`1`)"


def test_text_is_mapped_everywhere_but_in_keys_and_names_of_kinds() -> None:
    record = Outer(Inner("a"), (Inner("a"),), {"a": Inner("a")}, color=Color.RED, anything=["a", {"a": "a"}])
    mapped = map_text(record, str.upper)
    assert mapped == Outer(Inner("A"), (Inner("A"),), {"a": Inner("A")}, color=Color.RED, anything=["A", {"a": "A"}])
    assert type(mapped.color) is Color


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        ("{", "is not a readable JSON file"),
        ("[" * 100_000, "is not a readable JSON file"),
        ("[]", "expected a document of format `x/v1`, found `None`"),
        ('{"schema": "x/v2"}', "expected a document of format `x/v1`, found `x/v2`"),
        ('{"schema": "x/v1", "inner": {}}', "unknown key"),
    ],
)
def test_a_file_that_is_not_the_document_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadDocument, match=said):
        load_document(Outer, path, "x/v1")

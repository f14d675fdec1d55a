"""Frozen records are what ``dataclass(frozen=True)`` makes of the same class."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, FrozenInstanceError, InitVar, asdict, dataclass, field, fields, is_dataclass, replace
from threading import Barrier
from typing import Any, ClassVar

import pytest

from mlops_action.frozen import frozen


@frozen
class Pair:
    left: int
    right: tuple[int, ...] = ()


@frozen
class Alone:
    value: float


@frozen
class Empty:
    """Has no fields."""


def test_records_are_shown_by_their_fields() -> None:
    assert repr(Pair(1, (2,))) == "Pair(left=1, right=(2,))"
    assert (repr(Empty()), repr(Alone(0.5))) == ("Empty()", "Alone(value=0.5)")


def test_records_of_one_class_are_equal_and_hashed_by_their_values() -> None:
    assert Pair(1, (2,)) == Pair(1, (2,))
    assert hash(Pair(1, (2,))) == hash(Pair(1, (2,)))
    assert Pair(1) != Pair(2)
    assert Pair(1) != (1, ())
    assert Alone(1) != Pair(1)
    assert Empty() == Empty()
    assert len({Alone(1), Alone(1), Alone(2), Empty(), Empty()}) == 3


def test_a_value_that_equals_nothing_equals_itself_as_in_a_tuple() -> None:
    nan = float("nan")
    assert Alone(nan) == Alone(nan)
    assert Alone(nan) != Alone(float("nan"))


def test_records_cannot_be_changed_but_copied_with_changes() -> None:
    pair = Pair(1)
    with pytest.raises(FrozenInstanceError):
        pair.left = 2  # type: ignore[misc]  # what is refused
    assert is_dataclass(pair)
    assert replace(pair, left=2) == Pair(2)
    assert asdict(pair) == {"left": 1, "right": ()}
    assert pickle.loads(pickle.dumps(pair)) == copy.deepcopy(pair) == pair


@frozen
class Late:
    """Made in many threads at once below, for the first time."""

    name: str
    values: list[int] = field(default_factory=list)
    kind: ClassVar[str] = "late"
    scale: InitVar[int] = 1

    def __post_init__(self, scale: int) -> None:
        object.__setattr__(self, "values", [scale * each for each in self.values])


@frozen
class Further(Pair):
    third: int = 3


def test_the_first_objects_may_be_made_in_many_threads() -> None:
    ready = Barrier(8)

    def make(number: int) -> Late:
        ready.wait()
        return Late(str(number), [number], 10)

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(make, range(8)))
    assert [each.values for each in made] == [[10 * number] for number in range(8)]
    assert Late("a").values is not Late("a").values
    assert [each.name for each in fields(Late)] == ["name", "values"]


def test_wrong_arguments_are_refused_by_the_first_object_too() -> None:
    @frozen
    class New:
        value: int

    for _ in range(2):
        with pytest.raises(TypeError, match=r"New\.__init__\(\) missing 1 required positional argument: 'value'"):
            New()  # type: ignore[call-arg]  # what is refused
    with pytest.raises(TypeError, match="unexpected keyword argument 'other'"):
        New(1, other=2)  # type: ignore[call-arg]  # what is refused
    new = New(1)
    with pytest.raises(FrozenInstanceError):
        del new.value
    assert New.__match_args__ == ("value",)  # type: ignore[attr-defined]  # dataclass makes it


def test_a_record_may_have_the_fields_of_another() -> None:
    assert repr(Further(1, (), 4)) == "Further(left=1, right=(), third=4)"
    assert Further(1) != Pair(1)
    with pytest.raises(FrozenInstanceError):
        Further(1).third = 2  # type: ignore[misc]  # what is refused


@frozen
class Partly:
    value: int
    aside: int = field(default=0, compare=False, repr=False)


def test_fields_may_be_left_out_of_comparisons_and_of_what_is_shown() -> None:
    assert Partly(1, 2) == Partly(1, 3)
    assert hash(Partly(1, 2)) == hash(Partly(1, 3))
    assert Partly(1, 2) != Partly(2, 2)
    assert repr(Partly(1, 2)).endswith("Partly(value=1)")


def shapes() -> dict[str, dict[str, object]]:
    """Bodies of classes with fields of every kind."""
    return {
        "defaults": {"__annotations__": {"a": "int", "b": "str", "c": "tuple[int, ...]"}, "b": "x", "c": (1, 2)},
        "factories": {
            "__annotations__": {"a": "list[int]", "b": "dict[str, int]"},
            "a": field(default_factory=list),
            "b": field(default_factory=dict, repr=False),
        },
        "named only": {
            "__annotations__": {"a": "int", "_": "KW_ONLY", "b": "int", "c": "int"},
            "_": KW_ONLY,
            "b": field(default=3),
            "c": field(kw_only=True, compare=False),
        },
        "not given": {
            "__annotations__": {"a": "int", "b": "int", "c": "list[int]"},
            "b": field(init=False, default=7),
            "c": field(init=False, default_factory=list),
        },
        "of the class": {"__annotations__": {"a": "int", "kind": "ClassVar[str]"}, "kind": "none"},
    }


CALLS: list[tuple[tuple[object, ...], dict[str, object]]] = [
    ((), {}),
    ((1,), {}),
    ((1, 2), {}),
    ((1, "y", (3,)), {}),
    ((1,), {"c": 4}),
    ((1,), {"b": 2, "c": 4}),
    ((), {"a": 1, "b": 2}),
    ((1,), {"a": 1}),
    ((1,), {"other": 1}),
]


@pytest.mark.parametrize("shape", shapes())
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_call_does_what_that_of_the_dataclass_does(
    shape: str, call: tuple[tuple[object, ...], dict[str, object]]
) -> None:
    def outcome(make: Callable[[type], Any]) -> object:
        cls: Any = make(type("Shape", (), {"__module__": __name__, "__qualname__": "Shape", **shapes()[shape]}))
        try:
            found = cls(*call[0], **call[1])
        except TypeError as error:
            return str(error)
        kept = {name: getattr(cls, name, "none") for name in cls.__annotations__}
        return (
            repr(found),
            vars(found),
            [(each.name, each.init, each.kw_only) for each in fields(found)],
            cls.__match_args__,
            kept,
            found == cls(*call[0], **call[1]),
        )

    assert outcome(frozen) == outcome(dataclass(frozen=True))


def test_an_object_that_was_copied_in_before_its_class_has_made_one_is_whole() -> None:
    @frozen
    class Sent:
        value: int
        more: tuple[int, ...] = ()

    here = Sent.__new__(Sent)
    vars(here).update(value=1, more=(2,))
    there = Sent.__new__(Sent)
    vars(there).update(value=1, more=(2,))
    assert here == there
    assert hash(here) == hash(Sent(1, (2,)))
    assert replace(here, value=3) == Sent(3, (2,))

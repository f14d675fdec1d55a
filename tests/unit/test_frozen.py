"""Frozen records are what ``dataclass(frozen=True)`` makes of the same class."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, is_dataclass, replace

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

"""Plain data (from JSON or YAML) to dataclasses, collecting everything that does not fit."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from mlops_action.frozen import frozen

KIND_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Decimal: "a number",
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
    type(None): "nothing",
}


LEFT_OUT: Any = object()
"""Stands for a value that did not fit."""


def key_of(name: str) -> str:
    """The JSON and YAML name of a field: ``max_drop`` is ``max-drop``, ``pass_`` is ``pass``."""
    return name.rstrip("_").replace("_", "-")


@cache
def hints_of(record: type) -> dict[str, Any]:
    """Resolved type hints of a dataclass."""
    return get_type_hints(record)


def is_required(item: Field[Any]) -> bool:
    """Whether a field has no default."""
    return item.default is MISSING and item.default_factory is MISSING


def kind_name(kind: Any) -> str:
    """What to call a type, or the type of a value, when talking to people."""
    if is_dataclass(kind):
        return "a mapping"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "one of " + ", ".join(f"`{member.value}`" for member in kind)
    return KIND_NAMES.get(get_origin(kind) or kind, str(kind))


class WrittenFloat(float):
    """A float that remembers the decimal text that it was written as."""

    written: str


def exact_number(value: Any) -> Decimal:
    """Read a number exactly, as it was written, else as the shortest decimal text that stands for it.

    Raises:
        ValueError: not a number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError(f"expected a number, got {kind_name(type(value))}")
    try:
        text = getattr(value, "written", repr(value)) if isinstance(value, float) else value
        return Decimal(text)
    except ArithmeticError:
        raise ValueError(f"expected a number, got `{value}`") from None


@frozen
class Misfit:
    """One thing that does not fit, and where."""

    pointer: str
    message: str
    unknown: str = ""
    known: tuple[str, ...] = ()


class Structurer:
    """Walks data along the types of a dataclass; misfits are collected, not raised.

    What does not fit is left out, so that the rest can still be checked; with a misfit in
    a required place the result is ``LEFT_OUT``.

    A field's metadata may hold ``parse``: a function from the raw value to the field's
    value that raises ``ValueError`` with a message for people.
    """

    def __init__(self) -> None:
        """Start without misfits."""
        self.misfits: list[Misfit] = []

    def misfit(self, pointer: str, message: str) -> Any:
        """Note that the value at ``pointer`` does not fit; the result is built without it."""
        self.misfits.append(Misfit(pointer, message))
        return LEFT_OUT

    def read(self, kind: Any, value: Any, pointer: str) -> Any:
        """Read ``value`` as ``kind``."""
        if kind is Any:
            return value
        if is_dataclass(kind):
            return self._record(kind, value, pointer)
        origin = get_origin(kind)
        if origin in (Union, types.UnionType):
            return self._either(get_args(kind), value, pointer)
        if origin is tuple:
            return self._sequence(get_args(kind)[0], value, pointer)
        if origin is dict:
            return self._mapping(get_args(kind)[1], value, pointer)
        return self._scalar(kind, value, pointer)

    def _either(self, arms: tuple[Any, ...], value: Any, pointer: str) -> Any:
        if value is None and type(None) in arms:
            return None
        rest = [arm for arm in arms if arm is not type(None)]
        exact = [arm for arm in rest if isinstance(value, get_origin(arm) or arm)]
        return self.read((exact or rest)[0], value, pointer)

    def _record(self, kind: Any, value: Any, pointer: str) -> Any:
        if not isinstance(value, dict):
            return self.misfit(pointer, f"expected a mapping, got {kind_name(type(value))}")
        known = {key_of(item.name): item for item in fields(kind)}
        self._compare_keys(known, value, pointer)
        read = {item.name: self._field(kind, item, value[key], pointer) for key, item in known.items() if key in value}
        built = {name: item for name, item in read.items() if item is not LEFT_OUT}
        if any(is_required(item) and item.name not in built for item in known.values()):
            return LEFT_OUT
        return kind(**built)

    def _compare_keys(self, known: dict[str, Field[Any]], value: dict[str, Any], pointer: str) -> None:
        for key in value:
            if key not in known:
                self.misfits.append(Misfit(f"{pointer}/{key}", "unknown key", str(key), tuple(known)))
        for key, item in known.items():
            if is_required(item) and key not in value:
                self.misfit(pointer, f"`{key}` is missing")

    def _field(self, kind: Any, item: Field[Any], value: Any, pointer: str) -> Any:
        where = f"{pointer}/{key_of(item.name)}"
        parse: Callable[[Any], Any] | None = item.metadata.get("parse")
        if parse is None:
            return self.read(hints_of(kind)[item.name], value, where)
        try:
            return parse(value)
        except ValueError as error:
            return self.misfit(where, str(error))

    def _sequence(self, arm: Any, value: Any, pointer: str) -> Any:
        if not isinstance(value, (list, tuple)):
            return self.misfit(pointer, f"expected a list, got {kind_name(type(value))}")
        read = [self.read(arm, item, f"{pointer}/{i}") for i, item in enumerate(value)]
        return tuple(item for item in read if item is not LEFT_OUT)

    def _mapping(self, arm: Any, value: Any, pointer: str) -> Any:
        if not isinstance(value, dict):
            return self.misfit(pointer, f"expected a mapping, got {kind_name(type(value))}")
        read = {str(key): self.read(arm, item, f"{pointer}/{key}") for key, item in value.items()}
        return {key: item for key, item in read.items() if item is not LEFT_OUT}

    def _scalar(self, kind: Any, value: Any, pointer: str) -> Any:
        try:
            if kind is Decimal:
                return exact_number(value)
            if issubclass(kind, StrEnum):
                return kind(value)
        except ValueError:
            return self.misfit(pointer, f"expected {kind_name(kind)}, got {_shown(value)}")
        accepted = (int, float) if kind is float else kind
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            return self.misfit(pointer, f"expected {kind_name(kind)}, got {_shown(value)}")
        return value


def _shown(value: Any) -> str:
    if isinstance(value, (str, int, float)):
        text = str(value)
        return f"{kind_name(type(value))} (`{text[:40]}{'…' if len(text) > 40 else ''}`)"
    return kind_name(type(value))

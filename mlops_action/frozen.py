"""Frozen dataclasses that are quick to define."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")

_DEFINED = ("__module__", "__qualname__", "__annotations__", "__post_init__")
"""What ``dataclass`` reads of a class beside the defaults of its fields."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen dataclass, equal, hashed and shown by its fields, as ``dataclass(frozen=True)`` does.

    ``dataclass`` compiles six methods for each class, which took a third of a gate's time from
    start to exit. Here all classes share five of them, and ``__init__`` is compiled for the first
    object: a command makes records of half of the classes that it imports.
    """
    made: Any = _with_late_init(cls)
    names = [each.name for each in fields(made) if each.compare]
    made._values = staticmethod(attrgetter(*names, *names) if names else _nothing)  # one name alone gives no tuple
    made.__eq__, made.__hash__, made.__repr__ = _equal, _hash, _shown
    found: type[T] = made
    return found


def _with_late_init(cls: Any) -> Any:
    if any(map(is_dataclass, cls.__bases__)):
        return dataclass(frozen=True, repr=False, eq=False)(cls)
    annotated = vars(cls).get("__annotations__", {})
    defined = {name: value for name, value in vars(cls).items() if name in _DEFINED or name in annotated}
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)

    def __init__(self: Any, *args: Any, **named: Any) -> None:  # noqa: N807  # it is one
        twin: Any = dataclass(frozen=True, repr=False, eq=False)(type(cls.__name__, (), dict(defined)))
        made.__init__ = twin.__init__  # at once: another thread makes objects, too
        made.__init__(self, *args, **named)

    made.__init__, made.__setattr__, made.__delattr__ = __init__, _refuse_to_set, _refuse_to_delete
    made.__dataclass_params__.frozen = True
    return made


def _nothing(record: Any) -> tuple[()]:
    del record
    return ()


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._values(self) == self._values(other)


def _hash(self: Any) -> int:
    return hash(self._values(self))


def _shown(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: Any, name: str, value: object) -> NoReturn:
    del self, value
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> NoReturn:
    del self
    raise FrozenInstanceError(f"cannot delete field {name!r}")

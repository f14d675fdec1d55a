"""Frozen dataclasses that are quick to define."""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields, is_dataclass
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")

_READ = ("__module__", "__qualname__", "__annotations__", "__post_init__")
"""What ``dataclass`` reads of a class beside the defaults of its fields."""
_MADE = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__replace__")
"""What it makes besides methods."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen dataclass, equal, hashed and shown by its fields, as ``dataclass(frozen=True)`` does.

    ``dataclass`` looks at each field and compiles six methods for each class, which took a third of a gate's time from
    start to exit. Here all classes share five of them, and the rest is made for the first object, or for whoever asks
    what the fields are: a command makes records of half of the classes that it imports.
    """
    made: Any = cls
    late = _Late(made)
    for name, default in late.defaults.items():  # as ``dataclass`` leaves them
        if not isinstance(default, Field):
            continue
        if default.default is MISSING:
            delattr(made, name)
        else:
            setattr(made, name, default.default)

    def __init__(self: Any, *args: Any, **named: Any) -> None:  # noqa: N807  # it is one
        late.finish()
        made.__init__(self, *args, **named)

    for name in (*_MADE[:2], "_values"):
        setattr(made, name, _LateAttribute(late, name))
    made.__init__, made.__setattr__, made.__delattr__ = __init__, _refuse_to_set, _refuse_to_delete
    made.__eq__, made.__hash__, made.__repr__ = _equal, _hash, _shown
    return cls


class _Late:
    """Makes what is missing in a class, from a twin of it that holds nothing but the fields."""

    def __init__(self, cls: Any) -> None:
        own = vars(cls)
        annotated = own.get("__annotations__", {})
        self.cls = cls
        self.defaults = {name: value for name, value in own.items() if name in annotated}
        self.read = {name: own[name] for name in _READ if name in own}

    def finish(self) -> None:
        """Make it; in several threads at once each makes the same."""
        bases: tuple[Any, ...] = tuple(filter(is_dataclass, self.cls.__bases__))
        body = {"__doc__": "A twin.", **self.read, **self.defaults}  # without a text one is made, which takes long
        plain = not bases and "InitVar" not in str(self.read.get("__annotations__"))
        twin: Any = type(self.cls.__name__, bases, body)
        twin = dataclass(init=not plain, frozen=not plain, repr=False, eq=False)(twin)
        twin.__dataclass_params__.frozen = True
        names = [each.name for each in fields(twin) if each.compare]
        for name in filter(vars(twin).__contains__, _MADE):
            setattr(self.cls, name, vars(twin)[name])
        values = attrgetter(*names, *names) if names else _nothing  # one name alone gives no tuple
        self.cls._values = staticmethod(values)
        self.cls.__init__ = _init_of(twin) if plain else twin.__init__


def _init_of(twin: Any) -> Any:
    """The ``__init__`` that ``dataclass(frozen=True)`` compiles, without the two methods that it compiles besides."""
    given: list[str] = []
    named: list[str] = []
    lines = []
    known: dict[str, Any] = {"_set": object.__setattr__, "_none": object()}
    for each in fields(twin):
        name, value, default = each.name, each.name, ""
        if each.default is not MISSING:
            default, known[f"_default_{name}"] = f"=_default_{name}", each.default
        elif each.default_factory is not MISSING:
            default, known[f"_make_{name}"] = "=_none", each.default_factory
            value = f"_make_{name}() if {name} is _none else {name}" if each.init else f"_make_{name}()"
        if each.init:
            (named if each.kw_only else given).append(name + default)
        if each.init or each.default_factory is not MISSING:
            lines.append(f"_set(self, {name!r}, {value})")
    if hasattr(twin, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join(["self", *given, *(["*", *named] if named else [])])
    exec(f"def __init__({parameters}):\n " + "\n ".join(lines or ["pass"]), known)  # noqa: S102  # of names only
    made = known["__init__"]
    made.__qualname__ = f"{twin.__qualname__}.__init__"
    return made


class _LateAttribute:
    """Stands for an attribute of the class until it is asked for."""

    def __init__(self, late: _Late, name: str) -> None:
        self.late = late
        self.name = name

    def __get__(self, record: object, owner: object) -> Any:
        self.late.finish()
        return getattr(self.late.cls, self.name)


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

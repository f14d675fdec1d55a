"""Python's annotations as kinds of JSON values."""

from __future__ import annotations

import ast
from typing import Any

from mlops_action.frozen import frozen
from mlops_action.notebooks.languages.interface import kind_of

_KINDS = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "None": "null",
    "list": "list",
    "tuple": "list",
    "set": "list",
    "frozenset": "list",
    "List": "list",
    "Tuple": "list",
    "Set": "list",
    "Sequence": "list",
    "Iterable": "list",
    "dict": "dict",
    "Dict": "dict",
    "Mapping": "dict",
}
_WRAPPERS = frozenset({"Final", "Annotated", "ClassVar"})


@frozen
class Fitting:
    """What fits: these kinds, or only these values; anything when both are empty."""

    kinds: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()


ANYTHING = Fitting()


def fitting(annotation: ast.expr) -> Fitting:
    """What fits an annotation. For a type that is not JSON's, anything does."""
    if isinstance(annotation, ast.Constant):
        return _of_constant(annotation.value)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _either([annotation.left, annotation.right])
    if isinstance(annotation, ast.Subscript):
        return _of_subscript(_name(annotation.value), annotation.slice)
    kind = _KINDS.get(_name(annotation))
    return Fitting((kind,)) if kind else ANYTHING


def _name(node: ast.expr) -> str:
    """``Optional`` of ``typing.Optional``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _of_constant(value: Any) -> Fitting:
    if value is None:
        return Fitting(("null",))
    if not isinstance(value, str):
        return ANYTHING
    try:
        return fitting(ast.parse(value, mode="eval").body)  # a type in quotes
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ANYTHING


def _of_subscript(name: str, inner: ast.expr) -> Fitting:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        return _of_literal(parts)
    if name == "Optional":
        return _either([inner, ast.Constant(None)])
    if name == "Union":
        return _either(parts)
    if name in _WRAPPERS:
        return fitting(parts[0]) if parts else ANYTHING
    kind = _KINDS.get(name)
    return Fitting((kind,)) if kind else ANYTHING


def _of_literal(parts: list[ast.expr]) -> Fitting:
    try:
        choices = tuple(ast.literal_eval(each) for each in parts)
    except (ValueError, TypeError):
        return ANYTHING
    return Fitting(choices=choices)


def _either(parts: list[ast.expr]) -> Fitting:
    """What fits one of the parts; a list of choices beside a kind loosens to the choices' kinds."""
    found = [fitting(part) for part in parts]
    if any(each == ANYTHING for each in found):
        return ANYTHING
    if all(each.choices or each.kinds == ("null",) for each in found):
        return Fitting(choices=tuple(choice for each in found for choice in each.choices or (None,)))
    kinds = [kind for each in found for kind in (*each.kinds, *map(kind_of, each.choices))]
    return Fitting(tuple(dict.fromkeys(kinds)))

"""A Python cell of parameters, read by Python's own parser; nothing in it is run."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from typing import Any

from mlops_action.notebooks.languages.interface import Declared, kind_of
from mlops_action.notebooks.languages.python_types import Fitting, fitting

_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_TYPE_COMMENT = re.compile(r"type:\s*(?P<type>[^#]*?)\s*(?:#\s*(?P<doc>.*))?$")
_UNKNOWN = object()


def declared_in(source: str) -> tuple[Declared, ...] | None:
    """What the assignments at the top level declare; None when it is not Python.

    Magics and shell lines are skipped. A later assignment of a name replaces an earlier one.
    """
    if source.lstrip().startswith("%%"):
        return None
    plain = _MAGIC.sub("", source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(plain)
        comments = _comments(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None
    found: dict[str, Declared] = {}
    for statement in tree.body:
        for name, annotation, value in _assigned(statement):
            comment = comments.get(statement.end_lineno or 0) or comments.get(statement.lineno, "")
            declared = _declared(name, annotation, value, comment, plain)
            found[declared.name] = declared
    return tuple(found.values())


def _comments(source: str) -> dict[int, str]:
    """Comments by line, without ``#``."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokens
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip()
    }


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """Names that a statement assigns, each with its annotation and value."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id, statement.annotation, statement.value
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _targets(target, statement.value)


def _targets(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, None, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, None, value
    elif isinstance(target, (ast.Tuple, ast.List)):
        values = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        matched = len(values) == len(target.elts) and not any(isinstance(each, ast.Starred) for each in target.elts)
        for i, each in enumerate(target.elts):
            yield from _targets(each, values[i] if matched else None)


def _declared(name: str, annotation: ast.expr | None, value: ast.expr | None, comment: str, source: str) -> Declared:
    written = ast.get_source_segment(source, annotation) or "" if annotation is not None else ""
    found = _TYPE_COMMENT.match(comment)
    if found and not written:
        written, comment = found["type"], found["doc"] or ""
        annotation = _expression(written)
    default = (ast.get_source_segment(source, value) or "") if value is not None else ""
    if annotation is not None:
        kinds = fitting(annotation)
        return Declared(name, written, default, comment, kinds.kinds, kinds.choices)
    guessed = _of_default(value)
    return Declared(name, "" if not guessed.kinds else guessed.kinds[0], default, comment, guessed.kinds)


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _of_default(value: ast.expr | None) -> Fitting:
    """The kind of a default that is a literal; anything fits in the place of None or of a computed one."""
    found = _literal(value)
    if found is _UNKNOWN or found is None:
        return Fitting()
    if isinstance(found, (set, frozenset, tuple)):
        return Fitting(("list",))
    if isinstance(found, (bytes, complex)) or found is ...:
        return Fitting()
    return Fitting((kind_of(found),))


def _literal(value: ast.expr | None) -> Any:
    if value is None:
        return _UNKNOWN
    if isinstance(value, ast.JoinedStr):
        return ""
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return _UNKNOWN

"""The tree of an expression: reckoning, and the refusal of everything else that Python has."""

from __future__ import annotations

import ast
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from mlops_action.config.expression import MAX_LENGTH, Operand, Undefined
from mlops_action.frozen import frozen

_MOST_DIGITS = 1000
_CALLS: dict[str, Callable[..., Fraction]] = {"abs": abs, "min": min, "max": max}
Values = Callable[[Operand], Fraction]


@frozen
class Expression:
    """A checked expression."""

    text: str
    tree: ast.expr

    def operands(self) -> tuple[Operand, ...]:
        """The metrics in it, each once, in order."""
        found: dict[Operand, None] = {}

        def collect(operand: Operand) -> Fraction:
            found[operand] = None
            return Fraction(1)

        _walk(self.tree, self.text, collect, reckon=False)
        return tuple(found)

    def value(self, values: Values) -> Fraction:
        """The value, exactly.

        Raises:
            Undefined: a division by 0.
        """
        return _walk(self.tree, self.text, values, reckon=True)


def parsed_expression(text: str) -> Expression:
    """Check an expression.

    Raises:
        ValueError: no expression of this language, with what is wrong.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"an expression has at most {MAX_LENGTH} characters")
    source = " ".join(text.split())
    try:
        tree = ast.parse(source, mode="eval").body
        found = Expression(source, tree)
        if not found.operands():
            raise ValueError("there is no metric in it")
    except SyntaxError as error:
        raise ValueError(f"not an expression: {error.msg}; a name such as `top-1` stands in quotes") from None
    except (RecursionError, MemoryError):
        raise ValueError("not an expression: nested too deep") from None
    return found


def _walk(node: ast.expr, text: str, values: Values, *, reckon: bool) -> Fraction:
    """The value of a node; without ``reckon`` every part is visited and 1 stands for its value."""

    def inside(part: ast.expr) -> Fraction:
        return _walk(part, text, values, reckon=reckon)

    operand = _operand(node)
    if operand is not None:
        return values(operand)
    if isinstance(node, ast.Constant):
        return _number(node, text)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return -inside(node.operand) if isinstance(node.op, ast.USub) else inside(node.operand)
    if isinstance(node, ast.BinOp):
        return _binary(node, inside, reckon=reckon)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS and not node.keywords:
        return _called(node.func.id, [inside(argument) for argument in node.args])
    raise ValueError(f"`{_shown(node, text)}` has no place in an expression: there are + - * / ( ) abs min max")


def _binary(node: ast.BinOp, inside: Callable[[ast.expr], Fraction], *, reckon: bool) -> Fraction:
    left, right = inside(node.left), inside(node.right)
    match node.op:
        case ast.Add():
            return left + right if reckon else left
        case ast.Sub():
            return left - right if reckon else left
        case ast.Mult():
            return left * right if reckon else left
        case ast.Div():
            if reckon and not right:
                raise Undefined("a division by 0")
            return left / right if reckon else left
    raise ValueError("only + - * / stand between metrics")


def _called(name: str, arguments: list[Fraction]) -> Fraction:
    if not arguments or (name == "abs") != (len(arguments) == 1):
        raise ValueError(f"`{name}` takes {'one value' if name == 'abs' else 'two values or more'}")
    return _CALLS[name](*arguments)


def _operand(node: ast.expr) -> Operand | None:
    if isinstance(node, ast.Subscript):
        inside = node.slice
        whole = _operand(node.value)
        if whole is None or whole.slice or not (isinstance(inside, ast.Constant) and isinstance(inside.value, str)):
            raise ValueError('a slice stands in brackets and quotes: `recall["country=NO"]`')
        return Operand(whole.metric, inside.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Operand(node.value)
    if isinstance(node, ast.Name):
        return Operand(node.id)
    if isinstance(node, ast.Attribute):
        before = _operand(node.value)
        if before is None or before.slice or not isinstance(node.value, (ast.Name, ast.Attribute)):
            raise ValueError("a dotted name is made of names; other names stand in quotes")
        return Operand(f"{before.metric}.{node.attr}")
    return None


def _number(node: ast.Constant, text: str) -> Fraction:
    """A number as it is written: 0.1 is a tenth."""
    written = _shown(node, text)
    plain = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if not plain or len(written) > 100 or not set(written.lower()) <= set("0123456789.e+-"):
        raise ValueError(f"`{written[:40]}` is not a number of an expression")
    number = Decimal(written)
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"`{written[:40]}` is too large to be meant")
    return Fraction(number)


def _shown(node: ast.expr, text: str) -> str:
    return ast.get_source_segment(text, node) or ""

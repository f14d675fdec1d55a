"""What all metric readers share: text, exact numbers, names, and what is absurdly large."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal

from mlops_action.config.values import MAX_EXPONENT
from mlops_action.errors import MetricUnreadable
from mlops_action.frozen import frozen
from mlops_action.records import Json, MetricReading

MAX_BYTES = 10_000_000
MAX_READINGS = 100_000
MAX_DEPTH = 60
MAX_LENGTH = 1_000
"""Characters of one number."""


def decoded(data: bytes, file: str) -> str:
    """The text of a metric file, without a byte order mark.

    Raises:
        MetricUnreadable: absurdly large, empty, or not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise MetricUnreadable(
            f"the metric file has more than {MAX_BYTES} bytes",
            origin=file,
            hint="write the numbers that are to be judged to a file of their own",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MetricUnreadable(
            f"not UTF-8 text: {error.reason} at byte {error.start}", origin=file, hint="save the file as UTF-8"
        ) from None
    if not text.strip():
        raise MetricUnreadable("the metric file is empty", origin=file, hint="let the step write its metrics to it")
    return text


def exact(text: str, origin: str) -> Decimal:
    """The number that ``text`` writes, NaN and infinities included.

    Raises:
        MetricUnreadable: so long or so large that it cannot be meant.
    """
    try:
        number = Decimal(text) if len(text) <= MAX_LENGTH else None
    except ArithmeticError:
        number = None
    if number is None or (number.is_finite() and abs(number.adjusted()) > MAX_EXPONENT):
        raise MetricUnreadable(
            f"the number `{text[:40]}{'…' if len(text) > 40 else ''}` is too long or too large to be meant",
            origin=origin,
            hint=f"at most {MAX_LENGTH} characters and exponents up to {MAX_EXPONENT} are read",
        )
    return number


class Written(str):
    """A number as a file writes it; read where its place is known."""

    __slots__ = ()


_SHARE = Context(prec=50)


def share(count: Decimal, total: Decimal) -> Decimal | None:
    """``count`` of ``total``, to 50 digits where it has no end; None of nothing."""
    return _SHARE.divide(count, total) if total else None


class Readings:
    """Collects the readings of one file in order, each name and slice once."""

    def __init__(self) -> None:
        """Start without readings."""
        self.all: list[MetricReading] = []
        self._origins: dict[tuple[str, str], str] = {}

    def add(self, name: str, value: Decimal | None, origin: str, part: str = "") -> None:
        """Take one reading; ``part`` is its slice.

        Raises:
            MetricUnreadable: no usable name, a name that was there before, or too many.
        """
        if not name:
            raise MetricUnreadable("a metric has no name", origin=origin, hint="give each number a name")
        if not (name + part).isascii() and any("\ud800" <= char <= "\udfff" for char in name + part):
            raise MetricUnreadable("the name of a metric is not valid Unicode", origin=origin)
        if len(self.all) >= MAX_READINGS:
            raise MetricUnreadable(
                f"there are more than {MAX_READINGS} metrics",
                origin=origin,
                hint="write the numbers that are to be judged to a file of their own",
            )
        first = self._origins.setdefault((name, part), origin)
        if len(self._origins) == len(self.all):
            shown = f"`{name}` for the slice `{part}`" if part else f"`{name}`"
            raise MetricUnreadable(
                f"{shown} is there twice, first at {first}", origin=origin, hint="give the two different names"
            )
        self.all.append(MetricReading(name, value, origin, slice=part))

    def take(self, reading: MetricReading) -> None:
        """Take a reading that was collected before; whether a name is there twice was for others to say.

        Raises:
            MetricUnreadable: too many.
        """
        if len(self.all) >= MAX_READINGS:
            raise MetricUnreadable(f"there are more than {MAX_READINGS} metrics", origin=reading.origin)
        self.all.append(reading)


@frozen
class Leaf:
    """A value that holds no others, its dotted name and its JSON pointer."""

    name: str
    value: Json
    pointer: str


def leaves(value: Json, where: str, *, lists: bool = True) -> Iterator[Leaf]:
    """Walk nested objects, and lists unless told not to, in order.

    Raises:
        MetricUnreadable: nested absurdly deep; ``where`` and the pointer are its place.
    """
    yield from _leaves(Leaf("", value, ""), where, lists, 0)


def _leaves(at: Leaf, where: str, lists: bool, depth: int) -> Iterator[Leaf]:
    if depth > MAX_DEPTH:
        raise MetricUnreadable(
            f"nested more than {MAX_DEPTH} deep", origin=f"{where}{at.pointer}", hint="write the metrics side by side"
        )
    if isinstance(at.value, dict):
        inside = list(at.value.items())
    elif isinstance(at.value, list):
        inside = list(enumerate(at.value)) if lists else []
    else:
        yield at
        return
    for key, value in inside:
        name = f"{at.name}.{key}" if at.pointer else str(key)
        pointer = f"{at.pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield from _leaves(Leaf(name, value, pointer), where, lists, depth + 1)

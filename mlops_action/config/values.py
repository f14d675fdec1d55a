"""Small values with a notation of their own: durations, lists, changes, tolerances."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from mlops_action.frozen import frozen
from mlops_action.structure import WrittenFloat, exact_number

MAX_EXPONENT = 10_000
"""Doubles end at 308; exact sums of numbers beyond this one would fill the memory."""
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


def duration(value: Any) -> int:
    """Seconds from ``90``, ``90s``, ``20m``, ``1h30m``.

    Raises:
        ValueError: another notation, or not positive.
    """
    found = _DURATION.fullmatch(str(value).strip()) if isinstance(value, (int, str)) else None
    if found is None or isinstance(value, bool) or not any(found.groups()):
        raise ValueError("expected a duration such as `90s`, `20m` or `1h30m`")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total == 0:
        raise ValueError("a duration must be longer than 0; leave it out for no limit")
    return total


def positive(value: Any) -> int:
    """A whole number from 1 on.

    Raises:
        ValueError: something else.
    """
    text = str(value).strip()
    if not text.isdecimal() or int(text) == 0:
        raise ValueError("expected a whole number from 1 on")
    return int(text)


def duration_text(seconds: float) -> str:
    """``1h30m``, ``2m05s``, ``4.2s``."""
    if seconds < 60:
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def version_or_path(value: Any) -> str:
    """A text; a version that was written without quotes is taken as it was written, so that 3.10 is not 3.1.

    Raises:
        ValueError: something else.
    """
    if isinstance(value, WrittenFloat):
        return value.written
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("expected a path, a name on PATH, or a version such as `3.11`")
    return value


def text_list(value: Any) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of one.

    Raises:
        ValueError: something else.
    """
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) and item for item in items):
        raise ValueError("expected a text or a list of texts")
    return tuple(items)


@frozen
class Amount:
    """A size of change or deviation: absolute, relative to the reference, or both (both must hold)."""

    absolute: Decimal | None = None
    relative: Decimal | None = None


def amount(value: Any) -> Amount:
    """An amount from ``0.01``, ``1%`` or ``{absolute: 0.01, relative: 5%}``.

    Raises:
        ValueError: another notation, or a number that is not finite or negative.
    """
    if isinstance(value, dict):
        unknown = set(value) - {"absolute", "relative"}
        if unknown or not value:
            raise ValueError("expected `absolute` and/or `relative`")
        return Amount(
            _size(value["absolute"]) if "absolute" in value else None,
            share(value["relative"]) if "relative" in value else None,
        )
    if isinstance(value, str) and value.strip().endswith("%"):
        return Amount(relative=share(value))
    return Amount(absolute=_size(value))


def confidence(value: Any) -> Decimal:
    """A confidence level from ``0.95`` or ``95%``.

    Raises:
        ValueError: another notation, or not between one half and 1.
    """
    level = share(value)
    if not Decimal("0.5") <= level < 1:
        raise ValueError("expected a confidence level from 50% to below 100%, such as `95%`")
    return level


def portion(value: Any) -> Decimal:
    """A share from ``0.9`` or ``90%``.

    Raises:
        ValueError: another notation, or not from 0 to 1.
    """
    found = share(value)
    if found > 1:
        raise ValueError("expected a share from 0% to 100%")
    return found


def count(value: Any) -> int:
    """A whole number from 0 on.

    Raises:
        ValueError: something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("expected a whole number from 0 on")
    return value


def amounts(value: Any) -> dict[str, Amount]:
    """Amounts by name.

    Raises:
        ValueError: no mapping, or one of them is no amount.
    """
    if not isinstance(value, dict):
        raise ValueError("expected a mapping of metrics to amounts")
    return {str(name): amount(item) for name, item in value.items()}


def share(value: Any) -> Decimal:
    """A share from ``0.05`` or ``5%``, exactly.

    Raises:
        ValueError: another notation, or a number that is not finite or negative.
    """
    if isinstance(value, str) and value.strip().endswith("%"):
        # Moves the point: a division would round to 28 digits.
        sign, digits, exponent = _size(value.strip()[:-1]).as_tuple()
        return finite(Decimal((sign, digits, int(exponent) - 2)))
    return _size(value)


def _size(value: Any) -> Decimal:
    number = finite(value)
    if number < 0:
        raise ValueError("expected a number that is not negative")
    return number


def finite(value: Any) -> Decimal:
    """A finite number, exactly.

    Raises:
        ValueError: not a number, NaN or infinite, or too large to be reckoned with exactly.
    """
    number = exact_number(value)
    if not number.is_finite():
        raise ValueError("expected a finite number")
    if max(abs(number.adjusted()), abs(int(number.as_tuple().exponent))) > MAX_EXPONENT:
        raise ValueError(f"expected a number with at most {MAX_EXPONENT} digits before and after the point")
    return number


def all_finite(value: Any) -> bool:
    """Whether a JSON value holds neither NaN nor an infinity."""
    if isinstance(value, dict):
        return all(map(all_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(all_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def number_range(value: Any) -> tuple[Decimal, Decimal]:
    """Two numbers, the lower one first.

    Raises:
        ValueError: not two finite numbers in order.
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError("expected two numbers: `[lowest, highest]`")
    low, high = finite(value[0]), finite(value[1])
    if low > high:
        raise ValueError(f"the range is empty: {low} is above {high}")
    return low, high


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def size(value: Any) -> int:
    """Bytes from ``4096``, ``64KiB``, ``1.5MB`` or ``2G``; without ``i`` the units are powers of 1000.

    Raises:
        ValueError: another notation, or not positive.
    """
    found = _SIZE.fullmatch(str(value).strip()) if isinstance(value, (int, str)) else None
    if found is None or isinstance(value, bool):
        raise ValueError("expected a size such as `64KiB`, `10MB` or a number of bytes")
    number, unit, binary = found.groups()
    total = int(Decimal(number) * (1024 if binary else 1000) ** _POWERS[(unit or "").upper()])
    if total == 0:
        raise ValueError("a size must be larger than 0")
    return total


def size_text(count: float) -> str:
    """``512 bytes``, ``64.0 KiB``, ``1.5 GiB``."""
    if count < 1024:
        return f"{count:.0f} bytes"
    power = min(3, (int(count).bit_length() - 1) // 10)
    return f"{count / 1024**power:.1f} {('KiB', 'MiB', 'GiB')[power - 1]}"

"""The keys of a gate that judges a value by those of earlier runs."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mlops_action.config.keys import COUNT_SCHEMA, key
from mlops_action.config.values import count, duration, finite, share
from mlops_action.frozen import frozen

BOUNDARY_SCHEMA = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"}]}
_DAYS = re.compile(r"(\d{1,5})([dw])")


class HistoryTest(StrEnum):
    """How far values usually are from each other."""

    PERCENTAGE = "percentage"
    Z_SCORE = "z-score"
    T_TEST = "t-test"
    LOG_NORMAL = "log-normal"
    IQR = "iqr"
    DELTA_IQR = "delta-iqr"


PROBABILITIES = (HistoryTest.Z_SCORE, HistoryTest.T_TEST, HistoryTest.LOG_NORMAL)
"""Tests whose boundary is a probability."""


def boundary(value: Any) -> Decimal:
    """A boundary from ``0.98``, ``98%`` or ``1.5``.

    Raises:
        ValueError: another notation, or a number that is negative or not finite.
    """
    number = share(value) if isinstance(value, str) and value.strip().endswith("%") else finite(value)
    if number < 0:
        raise ValueError("expected a number that is not negative")
    return number


def age(value: Any) -> int:
    """Seconds from ``90d``, ``12w`` or a duration such as ``36h``; 0 is without limit.

    Raises:
        ValueError: another notation, or nothing.
    """
    if value == 0 and not isinstance(value, bool):
        return 0
    found = _DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return duration(value)
    seconds = int(found[1]) * 86_400 * (7 if found[2] == "w" else 1)
    if not seconds:
        raise ValueError("a window must be longer than 0")
    return seconds


@frozen
class HistoryThresholdSpec:
    """Limits made from the values of earlier runs. At least one boundary is needed."""

    test: HistoryTest = key(
        "`percentage`: the boundary is a share of the mean. `z-score`, `t-test`, `log-normal`: it is the probability, "
        "from 0.5 on, that a usual value is within the limit on that side; `t-test` is right for few runs. `iqr`, "
        "`delta-iqr`: it is a multiple of the quartiles' distance around the median, of the values or of their steps.",
        "t-test",
    )
    lower_boundary: Decimal | None = key(
        "How far below is still usual.", 0.98, default=None, parse=boundary, schema=BOUNDARY_SCHEMA
    )
    upper_boundary: Decimal | None = key(
        "How far above is still usual.", 0.98, default=None, parse=boundary, schema=BOUNDARY_SCHEMA
    )
    min_sample_size: int = key(
        "Fewest earlier values; with fewer the gate is inconclusive.", 10, default=5, parse=count, schema=COUNT_SCHEMA
    )
    max_sample_size: int | None = key(
        "Most values; the newest count.", 64, default=None, parse=count, schema=COUNT_SCHEMA
    )
    window: int = key(
        "Greatest age of values: `90d`, `12w`, `36h`.",
        "90d",
        default=0,
        parse=age,
        schema={"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+[dwhms]"}]},
    )


def boundary_problem(spec: HistoryThresholdSpec) -> str:
    """What is wrong with the boundaries, or nothing."""
    given = [each for each in (spec.lower_boundary, spec.upper_boundary) if each is not None]
    if not given:
        return "a history threshold needs a `lower-boundary` or an `upper-boundary`"
    if spec.test in PROBABILITIES and not all(Decimal("0.5") <= each < 1 for each in given):
        return f"a boundary of `{spec.test}` is a probability from 0.5 to below 1, such as 0.98"
    return ""

"""Values that every JSON reader takes alike: no secrets, no number that a double does not hold."""

from __future__ import annotations

import math

from mlops_action.canonical import EXACT, Json
from mlops_action.digests import readable
from mlops_action.redact import MASK, is_secret_name


def masked(name: str, value: Json) -> Json:
    """A value without secrets. They are not hashed either: a short one can be guessed from its hash."""
    if is_secret_name(name):
        return MASK
    if isinstance(value, dict):
        return {str(key): masked(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked("", item) for item in value]
    return value


def holds_secret(name: str, value: Json) -> bool:
    """Whether a name says that the value, or a part of it, is a secret."""
    if isinstance(value, dict):
        return is_secret_name(name) or any(holds_secret(str(key), item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return is_secret_name(name) or any(holds_secret("", item) for item in value)
    return is_secret_name(name)


def portable(value: Json) -> Json:
    """``value`` with large integers, NaN, infinities and halves of characters as text."""
    if isinstance(value, dict):
        return {readable(str(key)): portable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [portable(item) for item in value]
    if isinstance(value, str):
        return readable(value)
    return str(value) if _needs_text(value) else value


def lost_kinds(value: Json, pointer: str = "") -> dict[str, str]:
    """JSON pointers of numbers whose kind ``portable`` and canonical JSON lose: ``1.0`` is written ``1``."""
    if isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        lost = [lost_kinds(item, f"{pointer}/{_escaped(str(key))}") for key, item in items]
        return {place: kind for each in lost for place, kind in each.items()}
    if isinstance(value, float) and (_needs_text(value) or value.is_integer()):
        return {pointer: "float"}
    return {pointer: "integer"} if _needs_text(value) else {}


def _needs_text(value: Json) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and abs(value) >= EXACT


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")

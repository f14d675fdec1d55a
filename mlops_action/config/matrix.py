"""A matrix of parameters: every combination, less ``exclude``, and more by ``include``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

MAX_COMBINATIONS = 256
MATRIX_SCHEMA = {
    "type": "object",
    "properties": {
        "include": {"type": "array", "items": {"type": "object"}},
        "exclude": {"type": "array", "items": {"type": "object"}},
    },
    "additionalProperties": {"type": "array", "minItems": 1},
}

Combination = dict[str, Any]


@dataclass(frozen=True)
class Matrix:
    """Axes by name, and the exceptions."""

    axes: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    include: tuple[Combination, ...] = ()
    exclude: tuple[Combination, ...] = ()

    def combinations(self) -> list[Combination]:
        """All combinations in the order of the axes; none for an empty matrix.

        As in GitHub's matrices, an ``include`` entry that agrees with a combination on all
        axes that it names extends it, and one that agrees with none is a combination of its own.
        """
        names = [name for name, _ in self.axes]
        crossed = [dict(zip(names, values, strict=True)) for values in product(*(values for _, values in self.axes))]
        kept = [each for each in crossed if names and not any(_agrees(entry, each, entry) for entry in self.exclude)]
        extra = []
        for entry in self.include:
            shared = [name for name in entry if name in names]
            matching = [each for each in kept if shared and _agrees(entry, each, shared)]
            for each in matching:
                each.update(entry)
            extra += [] if matching else [dict(entry)]
        return kept + extra


def _agrees(entry: Combination, combination: Combination, names: Sequence[str] | Combination) -> bool:
    return all(name in combination and combination[name] == entry[name] for name in names)


def matrix(value: Any) -> Matrix:
    """A matrix from its mapping.

    Raises:
        ValueError: not lists of values, or more than ``MAX_COMBINATIONS``.
    """
    if not isinstance(value, dict) or not value:
        raise ValueError("expected a mapping of parameter names to lists of values")
    axes = []
    for name, values in value.items():
        if name in {"include", "exclude"}:
            if not isinstance(values, list) or not all(isinstance(entry, dict) and entry for entry in values):
                raise ValueError(f"`{name}` must be a list of mappings")
        elif not isinstance(values, list) or not values:
            raise ValueError(f"`{name}` must be a list of values")
        else:
            axes.append((name, tuple(values)))
    built = Matrix(tuple(axes), tuple(value.get("include", ())), tuple(value.get("exclude", ())))
    count = len(built.combinations())
    if not 1 <= count <= MAX_COMBINATIONS:
        raise ValueError(f"it has {count} combinations; from 1 to {MAX_COMBINATIONS} are possible")
    return built


def variant_of(combination: Combination) -> str:
    """A combination as text: ``depth=3,model=tree``. Readings carry it as their slice."""
    return ",".join(f"{name}={_word(value)}" for name, value in combination.items())


def variant_step(step: str, combination: Combination) -> str:
    """Name of a step's run for a combination; fit for a file name."""
    words = "-".join(re.sub(r"[^A-Za-z0-9_.]+", "_", _word(value)).strip("_.") or "x" for value in combination.values())
    return f"{step}-{words}"


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

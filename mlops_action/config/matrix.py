"""A matrix of parameters: every combination, less ``exclude``, and more by ``include``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

from mlops_action.frozen import frozen

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


@frozen
class Matrix:
    """Axes by name, and the exceptions."""

    axes: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    include: tuple[Combination, ...] = ()
    exclude: tuple[Combination, ...] = ()

    def combinations(self) -> list[Combination]:
        """All combinations in the order of the axes; none for an empty matrix.

        As in GitHub's matrices, an ``include`` entry extends every combination that it agrees with on
        all axes that it names (all of them when it names none), and one that agrees with none is a
        combination of its own. It may replace what an earlier entry added, but no axis' value.
        """
        kept = [each for each in self._crossed() if not self._excluded(each)]
        originals = [dict(each) for each in kept]
        extra = []
        for entry in self.include:
            matching = [each for each, own in zip(kept, originals, strict=True) if self._extends(entry, own)]
            for each in matching:
                each.update(entry)
            extra += [] if matching else [dict(entry)]
        return kept + extra

    def _crossed(self) -> list[Combination]:
        names = [name for name, _ in self.axes]
        values = product(*(values for _, values in self.axes)) if names else ()
        return [dict(zip(names, each, strict=True)) for each in values]

    def _excluded(self, combination: Combination) -> bool:
        return any(_agrees(entry, combination, entry) for entry in self.exclude)

    def _extends(self, entry: Combination, combination: Combination) -> bool:
        return _agrees(entry, combination, [name for name, _ in self.axes if name in entry])

    def idle_excludes(self) -> list[Combination]:
        """Entries of ``exclude`` that leave nothing out: typing errors."""
        every = Matrix(self.axes).combinations()
        return [entry for entry in self.exclude if not any(_agrees(entry, each, entry) for each in every)]


def _agrees(entry: Combination, combination: Combination, names: Sequence[str] | Combination) -> bool:
    return all(name in combination and _same(combination[name], entry[name]) for name in names)


def _same(one: Any, other: Any) -> bool:
    """Whether values are equal as JSON: ``true`` is not 1."""
    return bool(one == other) and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def matrix(value: Any) -> Matrix:
    """A matrix from its mapping.

    Raises:
        ValueError: not lists of values, a combination twice, an ``exclude`` that leaves nothing out, or
            more than ``MAX_COMBINATIONS``.
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
    crossed = prod(len(values) for _, values in axes)
    if crossed > MAX_COMBINATIONS:
        raise ValueError(f"it has {crossed} combinations; at most {MAX_COMBINATIONS} are possible")
    built = Matrix(tuple(axes), tuple(value.get("include", ())), tuple(value.get("exclude", ())))
    count = len(built.combinations())
    if not 1 <= count <= MAX_COMBINATIONS:
        raise ValueError(f"it has {count} combinations; from 1 to {MAX_COMBINATIONS} are possible")
    _refuse_mistakes(built)
    return built


def _refuse_mistakes(built: Matrix) -> None:
    for entry in built.idle_excludes():
        raise ValueError(f"`exclude` has `{variant_of(entry)}`, which is no combination, or no part of one")
    seen: set[str] = set()
    for each in built.combinations():
        written = json.dumps(each, sort_keys=True)
        if written in seen:
            raise ValueError(f"the combination `{variant_of(each)}` is there twice")
        seen.add(written)


def variant_of(combination: Combination) -> str:
    """A combination as text: ``depth=3,model=tree``. Readings carry it as their slice."""
    return ",".join(f"{name}={_word(value)}" for name, value in combination.items())


def variant_step(step: str, combination: Combination) -> str:
    """Name of a step's run for a combination; fit for a file name."""
    words = "-".join(re.sub(r"[^A-Za-z0-9_.]+", "_", _word(value)).strip("_.") or "x" for value in combination.values())
    return f"{step}-{words}"


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

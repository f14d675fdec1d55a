"""What a notebook's ``parameters`` cell declares, and whether given values fit it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mlops_action.errors import BadValue, MlopsError, UnknownName, nearest
from mlops_action.notebooks import LANGUAGES
from mlops_action.notebooks.languages.interface import Declared, Language
from mlops_action.notebooks.parameters import parameters_cell
from mlops_action.records import PlannedParameter
from mlops_action.registry import load_from

ALLOW = "set `unknown-parameters: allow` in the step"


def declared_parameters(cells: Sequence[Any], language: str) -> tuple[Declared, ...] | None:
    """What the ``parameters`` cell declares, in the order of its lines.

    None when there is no such cell, or when it is in a language (``notebooks.language_key``)
    that cannot be read, or in none: then any parameter may be given.
    """
    place = parameters_cell(cells)
    if place is None or language.lower() not in LANGUAGES:
        return None
    reader: Language = load_from(LANGUAGES, language.lower())()
    return reader.declared(cells[place]["source"])


def parameter_problems(
    given: Iterable[PlannedParameter], declared: Iterable[Declared], notebook: str
) -> Iterator[MlopsError]:
    """Parameters that the notebook does not have, and values of another type than it says.

    The types of secrets and of values that are not known before the run are not judged.
    """
    known = {each.name: each for each in declared}
    for each in given:
        if each.name not in known:
            hint = nearest(each.name, list(known)) or "its `parameters` cell declares none"
            yield UnknownName(
                f"the `parameters` cell of {notebook} has no `{each.name}`",
                origin=each.origin,
                hint=f"{hint}; or {ALLOW}",
            )
        elif not (each.secret or each.reference) and not known[each.name].fits(each.value):
            yield _misfit(each, known[each.name], notebook)


def _misfit(given: PlannedParameter, declared: Declared, notebook: str) -> BadValue:
    if declared.choices:
        wanted = "one of " + ", ".join(f"`{json.dumps(choice, default=str)}`" for choice in declared.choices)
    else:
        wanted = f"`{declared.type or ' | '.join(declared.kinds)}`"
    shown = json.dumps(given.value, ensure_ascii=False)
    said = f"parameter `{given.name}` of {notebook} is {wanted}, and `{_short(shown)}` is not"
    return BadValue(said, origin=given.origin, hint=f"{_remedy(given, declared)}, or {ALLOW}")


def _remedy(given: PlannedParameter, declared: Declared) -> str:
    takes_text = "str" in declared.kinds or any(isinstance(choice, str) for choice in declared.choices)
    if takes_text and isinstance(given.value, (int, float, bool, type(None))):
        text = getattr(given.value, "written", json.dumps(given.value))
        if given.origin.startswith("-") or "INPUT_" in given.origin:
            return f"give text with `-P {given.name}={text}`"
        return f'write text in quotes, `{given.name}: "{text}"`'
    if isinstance(given.value, float) and "int" in declared.kinds:
        return "give a whole number, write the notebook's default with a point"
    return "correct the value, or the type in the notebook"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"

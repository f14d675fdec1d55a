"""The cell that gives parameters their values, in any language."""

from __future__ import annotations

from typing import Any

from mlops_action.errors import BadValue
from mlops_action.notebooks.languages.interface import Language


def assignments(language: Language, parameters: dict[str, Any], origin: str) -> str:
    """Source of a cell that assigns all parameters.

    Raises:
        BadValue: a name that is no identifier, or a value that the language cannot write.
    """
    lines = [f"{language.comment} Parameters"]
    for name, value in parameters.items():
        if not language.names.fullmatch(name):
            raise BadValue(f"`{name}` cannot be the name of a variable", origin=origin)
        try:
            lines.append(language.assign(name, value))
        except ValueError as error:
            raise BadValue(f"parameter `{name}`: {error}", origin=origin) from None
    return "\n".join(lines)

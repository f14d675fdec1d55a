"""How a key of ``mlops.yaml`` is declared, and the schemas of values with a notation of their own."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from mlops_action.config.values import text_list

AMOUNT_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                "absolute": {"type": "number", "minimum": 0},
                "relative": {
                    "anyOf": [
                        {"type": "number", "minimum": 0},
                        {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"},
                    ]
                },
            },
        },
    ]
}


DURATION_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^([0-9]+[hms]?)+$"}]}


SIZE_SCHEMA = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9.]+ *([KMGTkmgt]i?)?B?$"}]
}


NUMBER_SCHEMA = {"type": "number"}


COUNT_SCHEMA = {"type": "integer", "minimum": 0}


SHARE_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"},
    ]
}


RANGE_SCHEMA = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}


def key(doc: str, example: Any = None, **options: Any) -> Any:
    """Declare a key. ``parse`` and ``schema`` go to the loader and the JSON Schema."""
    metadata = {"doc": doc, "example": example}
    for extra in ("parse", "schema"):
        if extra in options:
            metadata[extra] = options.pop(extra)
    return field(metadata=metadata, **options)


def texts(doc: str, example: Any = None) -> Any:
    """Declare a key that holds a list of texts, or one text."""
    one_or_more = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    return key(doc, example, default=(), parse=text_list, schema=one_or_more)

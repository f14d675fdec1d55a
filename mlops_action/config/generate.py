"""Everything that is written from the models: schemas, action files, reference, error table."""

from __future__ import annotations

import types
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin

from mlops_action.canonical import Json
from mlops_action.codec import encode
from mlops_action.structure import hints_of, is_required, key_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE: dict[Any, Json] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": ["number", "string"]},
    type(None): {"type": "null"},
    Any: {},
}


def schema_of(record: type, title: str = "") -> Json:
    """JSON Schema (2020-12) of a dataclass; every nested dataclass is a definition of its own."""
    definitions: dict[str, Json] = {}
    root = _record(record, definitions)
    head = {"$schema": DIALECT, "title": title or record.__name__}
    return {**head, **root, **({"$defs": definitions} if definitions else {})}


def _record(record: type, definitions: dict[str, Json]) -> Json:
    hints = hints_of(record)
    properties = {key_of(item.name): _property(item, hints[item.name], definitions) for item in fields(record)}
    doc = (record.__doc__ or "").strip()
    schema = {"type": "object", "description": doc, "additionalProperties": False, "properties": properties}
    required = [key_of(item.name) for item in fields(record) if is_required(item)]
    return {**schema, **({"required": required} if required else {})}


def _property(item: Field[Any], hint: Any, definitions: dict[str, Json]) -> Json:
    shape = item.metadata.get("schema") or _shape(hint, definitions)
    schema = {"description": item.metadata.get("doc", ""), **shape}
    if item.metadata.get("example") is not None:
        schema["examples"] = [item.metadata["example"]]
    default = item.default if item.default is not MISSING else None
    if "parse" not in item.metadata and isinstance(default, (str, int, float)) and default not in {"", 0}:
        schema["default"] = encode(default)
    return schema


def _shape(hint: Any, definitions: dict[str, Json]) -> Json:
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}
            definitions[hint.__name__] = _record(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    origin, arms = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_shape(arm, definitions) for arm in arms]}
    if origin is tuple:
        return {"type": "array", "items": _shape(arms[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _shape(arms[1], definitions)}
    raise TypeError(f"no schema for {hint}")

"""What the parts of a manifest look like, as far as every release agrees: JSON Schema 2020-12.

Facts may be added to a part at any time, so objects stay open; what stands at a known place has its type.
"""

from __future__ import annotations

from mlops_action.records.base import Json

_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_OPEN: Json = {"type": "object"}
_HEX: Json = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}
DIGEST: Json = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    named = {name.replace("_", "-"): shape for name, shape in properties.items()}
    return {"type": "object", "properties": named} | ({"required": list(required)} if required else {})


def _many(item: Json) -> Json:
    return {"type": "array", "items": item}


_FILE = _object((), path=_TEXT, sha256=_HEX, size={"type": "integer", "minimum": 0}, **{"from": _TEXT})
_LONG = _object(("dirHash", "files"), dirHash=_HEX, files={"type": "integer"}, size={"type": "integer"}, list=_TEXT)
_FILES: Json = {"anyOf": [_many(_FILE), _LONG]}

IDENTITY: Json = _object(
    ("format", "steps", "gates", "environment"),
    format=_TEXT,
    environment=_OPEN,
    gates=_many(_object(("name", "metric", "rule"), name=_TEXT, metric=_TEXT, rule=_TEXT)),
    source=_object(("tree",), tree={"type": "string", "pattern": "^[0-9a-f]+$"}, subfolder=_TEXT),
    data=_FILES,
    git_data=_many(_object(("path", "gitBlob", "sha256"), path=_TEXT, gitBlob=_TEXT, sha256=_HEX)),
    remote_data=_many(_object(("uri",), uri=_TEXT, sha256=_HEX, size={"type": "integer"})),
    python=_many(_object(("kernels", "version", "distributions"), kernels=_TEXTS, version=_TEXT)),
    r=_many(_object(("kernels", "version", "packages"), kernels=_TEXTS, version=_TEXT)),
    kernels=_many(_object(("step", "kernel"), step=_TEXT, kernel=_TEXT)),
    steps=_many(
        _object(
            ("name", "notebook-digest", "parameters", "inputs"),
            name=_TEXT,
            notebook_digest={"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
            parameters=_OPEN,
            parameter_kinds=_OPEN,
            needs=_TEXTS,
            inputs=_many(_object((), path=_TEXT, sha256=_HEX, dirHash=_HEX, files={"type": "integer"})),
        )
    ),
)

RESULTS: Json = _object(
    ("steps", "metrics", "verdicts"),
    steps=_many(
        _object(
            ("name", "status", "inputs", "outputs-before", "outputs-after"),
            name=_TEXT,
            status=_TEXT,
            executed=_TEXT,
            executed_sha256=_HEX,
            inputs=_FILES,
            outputs_before=_FILES,
            outputs_after=_FILES,
        )
    ),
    metrics=_many(_object(("name", "value"), name=_TEXT, value={"type": ["number", "string", "null"]})),
    verdicts={"anyOf": [{"type": "null"}, _object(("outcome", "verdicts"), outcome=_TEXT, verdicts=_many(_OPEN))]},
)

LOCATOR: Json = _object((), config=_TEXT, notebooks=_OPEN, inputs=_OPEN, outputs=_OPEN, source=_OPEN)
OBSERVATION: Json = _object(("started", "finished", "tool"), started=_TEXT, finished=_TEXT, tool=_TEXT)

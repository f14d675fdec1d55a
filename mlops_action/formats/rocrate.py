"""The manifest as a Process Run Crate 0.5: an RO-Crate 1.1 with the files themselves."""

from __future__ import annotations

import mimetypes
from urllib.parse import quote

from mlops_action.canonical import Json, pretty_bytes
from mlops_action.formats.interface import Exported
from mlops_action.formats.recorded import (
    DATA,
    INPUT,
    OUTPUT,
    Elsewhere,
    Recorded,
    elsewhere_of,
    files_of,
    last_states,
    part,
    steps_of,
)
from mlops_action.stores.folder import MANIFEST_FILE

FILE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
_TYPES = mimetypes.MimeTypes(filenames=())
_STATUS = {"ok": "http://schema.org/CompletedActionStatus"}
_FAILED = "http://schema.org/FailedActionStatus"
_TOOL = "https://example.org/mlops-action"
_LICENCE = "#licence"
_WEB = ("https://", "http://")


class RoCrate:
    """``ro-crate-metadata.json``, with the manifest, data, notebooks and outputs beside it."""

    def render(self, manifest: Json) -> Exported:
        """The metadata, and what belongs into the crate."""
        files, far = last_states(manifest), elsewhere_of(manifest)
        remote = str(part(manifest, "locator", "source").get("remote") or "")
        graph = [
            *_head(manifest, [*(_id(each.path) for each in files), *(_url(each) for each in far if _of_the_web(each))]),
            *_actions(manifest),
            *(_file(each, remote) for each in files),
            *(_elsewhere(each) for each in far if _of_the_web(each)),
            _manifest_file(manifest),
        ]
        folder = part(manifest, "locator", "output-dir") or "mlops-out"
        payload = ((MANIFEST_FILE, f"{folder}/{MANIFEST_FILE}"), *((each.path, each.path) for each in files))
        lost = tuple(f"{each.name}: it is not in the project folder" for each in far if not _of_the_web(each))
        return Exported(((FILE, pretty_bytes({"@context": _CONTEXT, "@graph": graph})),), payload, lost)


def _head(manifest: Json, parts: list[str]) -> list[Json]:
    observation = part(manifest, "observation")
    steps = [step["name"] for step in steps_of(manifest)]
    return [
        {
            "@id": FILE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Run {manifest['manifest-id']}",
            "description": f"What the run of the steps {', '.join(steps)} read and wrote, recorded by mlops-action."
            + (f" Its times are not later than {observation['times-from']}." if observation.get("times-from") else ""),
            "datePublished": str(observation.get("finished") or "1970-01-01"),
            "license": {"@id": _LICENCE},
            "conformsTo": {"@id": PROFILE},
            "hasPart": [{"@id": MANIFEST_FILE}, *({"@id": each} for each in parts)],
            "mentions": _one([{"@id": f"#step-{_id(name)}"} for name in steps]),
        },
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {
            "@id": _LICENCE,
            "@type": "CreativeWork",
            "name": "Unknown licence",
            "description": "The manifest does not say under which licence these files are.",
        },
        {
            "@id": _TOOL,
            "@type": "SoftwareApplication",
            "name": "mlops-action",
            "softwareVersion": str(observation.get("tool", "")),
            "url": _TOOL,
        },
    ]


def _actions(manifest: Json) -> list[Json]:
    times = {each["name"]: each for each in part(manifest, "observation", "steps") or ()}
    settings = {step["name"]: step.get("parameters", {}) for step in part(manifest, "identity", "steps") or ()}
    found: list[Json] = []
    for step in steps_of(manifest):
        name = step["name"]
        values = [_value(name, key, value) for key, value in sorted(settings.get(name, {}).items())]
        found += [_action(step, times.get(name, {}), values, part(manifest, "observation")), *values]
    return found


def _action(step: Json, seen: Json, values: list[Json], observation: Json) -> Json:
    source = step.get("source")
    ended = {} if step["status"] == "ok" else {"error": str(step.get("failure") or step["status"])}
    return {
        "@id": f"#step-{_id(step['name'])}",
        "@type": "CreateAction",
        "name": f"Step {step['name']}",
        "description": f"The step {step['name']} ended with the status {step['status']}.",
        "instrument": {"@id": _id(source["path"]) if source else _TOOL},
        "startTime": _time(seen.get("started") or observation.get("started", "")),
        "endTime": _time(observation.get("finished", "")),
        "actionStatus": _STATUS.get(step["status"], _FAILED),
        "object": _one(
            [
                *({"@id": _id(each["path"])} for each in files_of(step, "inputs")),
                *({"@id": each["@id"]} for each in values),
            ]
        ),
        "result": _one([{"@id": _id(each["path"])} for each in files_of(step, "outputs-after")]),
    } | ended


def _value(step: str, name: str, value: Json) -> Json:
    return {"@id": f"#{_id(step)}-{_id(name)}", "@type": "PropertyValue", "name": name, "value": str(value)}


def _time(moment: str) -> str:
    """The profile's validator takes an offset, and no `Z`."""
    return f"{moment[:-1]}+00:00" if moment.endswith("Z") else moment


def _file(each: Recorded, remote: str) -> Json:
    found: Json = {"@id": _id(each.path), "@type": "File", "name": each.path, "sha256": each.sha256}
    found |= {"encodingFormat": _encoding(each.path)}
    found |= {} if each.size is None else {"contentSize": str(each.size)}
    if each.kind not in {INPUT, OUTPUT, DATA}:
        found |= {"@type": ["File", "SoftwareSourceCode"], "version": f"sha256:{each.sha256}"}
        found |= {"url": remote} if remote.startswith(_WEB) else {}
    return found


def _of_the_web(each: Elsewhere) -> bool:
    """A crate may speak of data that it does not hold when its address works for everybody."""
    return each.uri.startswith(_WEB)


def _url(each: Elsewhere) -> str:
    return quote(each.uri, safe=":/?#[]@!$&'()*+,;=%-._~")


def _elsewhere(each: Elsewhere) -> Json:
    size = {} if each.size is None else {"contentSize": str(each.size)}
    digest = {"sha256": each.digest["sha256"]} if each.digest else {}
    return {"@id": _url(each), "@type": "File", "name": each.name} | digest | size


def _encoding(path: str) -> str:
    """Media type by the ending, as Python knows it on every machine."""
    if path.endswith(".ipynb"):
        return "application/x-ipynb+json"
    return _TYPES.guess_type(path)[0] or "application/octet-stream"


def _one(values: list[Json]) -> Json:
    """A single value stands for itself, as RO-Crate recommends."""
    return values[0] if len(values) == 1 else values


def _manifest_file(manifest: Json) -> Json:
    return {
        "@id": MANIFEST_FILE,
        "@type": "File",
        "name": "Manifest of the run",
        "encodingFormat": "application/json",
        "identifier": manifest["manifest-id"],
    }


def _id(path: str) -> str:
    return quote(path, safe="/._-~")

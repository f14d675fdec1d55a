"""The manifest as a CycloneDX 1.6 bill of materials for machine learning: models, data sets, packages, model card."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from urllib.parse import quote

from mlops_action.canonical import Json, pretty_bytes
from mlops_action.formats.interface import Exported
from mlops_action.formats.purl import package_urls
from mlops_action.formats.recorded import (
    DATA,
    Elsewhere,
    Recorded,
    elsewhere_of,
    inputs_of,
    many_data,
    outputs_of,
    part,
)
from mlops_action.stores.folder import LIST_FILE

FILE = "bom.cdx.json"
_URL = ":/?#[]@!$&'()*+,;=%-._~"
MODEL_SUFFIXES = (
    *(".bin", ".cbm", ".ckpt", ".gguf", ".h5", ".joblib", ".keras", ".mlmodel", ".model", ".npz", ".onnx", ".pb"),
    *(".pickle", ".pkl", ".pmml", ".pt", ".pth", ".rds", ".safetensors", ".tflite", ".torchscript", ".ubj"),
)
"""Outputs that end so are taken for models, others for data."""


class CycloneDx:
    """``bom.cdx.json``. Times and serial number come from the manifest, so the same one gives the same bytes."""

    def render(self, manifest: Json) -> Exported:
        """The bill of materials."""
        return Exported(((FILE, pretty_bytes(_bom(manifest))),))


def is_model(path: str) -> bool:
    """Whether a file is taken for a model."""
    return PurePosixPath(path).suffix.lower() in MODEL_SUFFIXES


def _bom(manifest: Json) -> Json:
    observation = part(manifest, "observation")
    data, outputs = inputs_of(manifest), outputs_of(manifest)
    many = many_data(manifest)
    data += [Recorded(DATA, LIST_FILE, many["dirHash"])] if many else []
    far = elsewhere_of(manifest)
    models = [each for each in outputs if is_model(each.path)]
    others = [each for each in outputs if not is_model(each.path)]
    datasets = [_ref(each) for each in data] + [_far_ref(each) for each in far]
    packages = [_package(each, url) for each, url in package_urls(manifest)]
    components = [
        *(_model(each, manifest, datasets) for each in models),
        *(_data(each, "dataset") for each in data),
        *(_elsewhere(each) for each in far),
        *(_data(each, "other") for each in others),
        *packages,
    ]
    made_of = datasets + [each["bom-ref"] for each in packages]
    run = manifest["manifest-id"]
    edges = [(run, [_ref(each) for each in outputs])] + [(_ref(each), made_of) for each in outputs]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, run + observation.get('started', ''))}",
        "version": 1,
        "metadata": _times(observation)
        | {
            "tools": {"components": [{"type": "application", "name": "mlops-action", "version": _tool(observation)}]},
            "component": {"type": "application", "bom-ref": run, "name": "run", "version": run},
            "properties": _properties(manifest),
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(set(needs))} for ref, needs in edges],
    }


def _tool(observation: Json) -> str:
    return str(observation.get("tool", ""))


def _times(observation: Json) -> Json:
    return {"timestamp": observation["finished"]} if observation.get("finished") else {}


def _properties(manifest: Json) -> list[Json]:
    source = part(manifest, "locator", "source")
    values = {
        "manifest-id": manifest["manifest-id"],
        "source-tree": part(manifest, "identity", "source").get("tree"),
        "commit": source.get("commit"),
        "verdict": part(manifest, "results", "verdicts").get("outcome"),
        "times-from": part(manifest, "observation").get("times-from"),
    }
    values |= {f"not-captured:{gap['what']}": gap["why"] for gap in part(manifest, "completeness") or ()}
    return [{"name": f"mlops-action:{name}", "value": str(value)} for name, value in values.items() if value]


def _ref(each: Recorded) -> str:
    return f"{each.kind}:{each.path}"


def _file(each: Recorded, kind: str) -> Json:
    return {
        "type": kind,
        "bom-ref": _ref(each),
        "name": each.path,
        "version": f"sha256:{each.sha256}",
        "hashes": [{"alg": "SHA-256", "content": each.sha256}],
    }


def _data(each: Recorded, kind: str) -> Json:
    return _file(each, "data") | {"data": [{"type": kind, "name": each.path}]}


def _far_ref(each: Elsewhere) -> str:
    return f"{DATA}:{each.name}"


def _elsewhere(each: Elsewhere) -> Json:
    component: Json = {
        "type": "data",
        "bom-ref": _far_ref(each),
        "name": each.name,
        "version": f"sha256:{each.digest['sha256']}" if each.digest else each.version,
        "data": [{"type": "dataset", "name": each.name}],
    }
    if each.digest:
        component["hashes"] = [{"alg": "SHA-256", "content": each.digest["sha256"]}]
    if each.uri:
        component["externalReferences"] = [{"type": "distribution", "url": quote(each.uri, safe=_URL)}]
    return component


def _model(each: Recorded, manifest: Json, datasets: list[str]) -> Json:
    metrics = [_metric(reading) for reading in part(manifest, "results", "metrics") or ()]
    parameters: Json = {"datasets": [{"ref": each} for each in datasets]}
    step = next((found for found in part(manifest, "identity", "steps") or () if found["name"] == each.step), None)
    settings = [
        {"name": f"mlops-action:parameter:{name}", "value": str(value)}
        for name, value in sorted((step or {}).get("parameters", {}).items())
    ]
    card: Json = {"modelParameters": parameters, "quantitativeAnalysis": {"performanceMetrics": metrics}}
    return _file(each, "machine-learning-model") | {"modelCard": card, "properties": settings}


def _metric(reading: Json) -> Json:
    found = {"type": reading["name"], "value": str(reading["value"])}
    return found | ({"slice": reading["slice"]} if reading.get("slice") else {})


def _package(each: Json, url: str) -> Json:
    component = {
        "type": "library",
        "bom-ref": url,
        "name": each["name"],
        "version": str(each.get("version", "")),
        "purl": url,
    }
    if each.get("record"):
        component["properties"] = [{"name": "mlops-action:record-digest", "value": each["record"]}]
    return component

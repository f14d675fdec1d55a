"""The manifest as OpenLineage run events, one JSON document a line: start and end of each step."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from mlops_action.canonical import Json, canonical_bytes
from mlops_action.formats.interface import Exported
from mlops_action.formats.recorded import files_of, part, steps_of

FILE = "openlineage.ndjson"
PRODUCER = "https://example.org/mlops-action"
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets/"
_ENDS = {"ok": "COMPLETE", "interrupted": "ABORT", "skipped": "ABORT"}


class OpenLineage:
    """``openlineage.ndjson``."""

    def render(self, manifest: Json) -> Exported:
        """The events, in the order of the steps."""
        return Exported(((FILE, b"".join(canonical_bytes(each) + b"\n" for each in _events(manifest))),))


def _events(manifest: Json) -> Iterator[Json]:
    observation = part(manifest, "observation")
    seen = {each["name"]: each for each in observation.get("steps") or ()}
    for step in steps_of(manifest):
        started = seen.get(step["name"], {}).get("started") or observation["started"]
        common = {
            "run": {"runId": _run_id(manifest, step["name"]), "facets": _run_facets(manifest)},
            "job": {"namespace": _namespace(manifest), "name": step["name"], "facets": _job_facets(manifest)},
            "inputs": [_dataset(manifest, each) for each in files_of(step, "inputs")],
            "producer": PRODUCER,
            "schemaURL": SCHEMA,
        }
        yield common | {"eventType": "START", "eventTime": started, "outputs": []}
        yield common | {
            "eventType": _ENDS.get(step["status"], "FAIL"),
            "eventTime": max(started, observation["finished"]),
            "outputs": [_dataset(manifest, each) for each in files_of(step, "outputs-after")],
        }


def _run_id(manifest: Json, step: str) -> str:
    started = part(manifest, "observation").get("started", "")
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{manifest['manifest-id']} {started} {step}"))


def _namespace(manifest: Json) -> str:
    return str(part(manifest, "locator", "source").get("remote") or "mlops-action")


def _facet(name: str, release: str, /, **values: Json) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}{release}/{name}.json#/$defs/{name}", **values}


def _run_facets(manifest: Json) -> Json:
    tags = [{"key": "manifest-id", "value": manifest["manifest-id"], "source": "mlops-action"}]
    return {"tags": _facet("TagsRunFacet", "1-0-0", tags=tags)}


def _job_facets(manifest: Json) -> Json:
    source = part(manifest, "locator", "source")
    facets: Json = {
        "jobType": _facet(
            "JobTypeJobFacet", "2-0-3", processingType="BATCH", integration="MLOPS_ACTION", jobType="STEP"
        )
    }
    if source.get("remote") and source.get("commit"):
        place = {"type": "git", "url": source["remote"], "repoUrl": source["remote"], "version": source["commit"]}
        facets["sourceCodeLocation"] = _facet("SourceCodeLocationJobFacet", "1-0-1", **place)
    return facets


def _dataset(manifest: Json, state: Json) -> Json:
    version = _facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=f"sha256:{state['sha256']}")
    return {"namespace": _namespace(manifest), "name": state["path"], "facets": {"version": version}}

"""The manifest as SLSA provenance v1: what policy tools know. No build level is claimed."""

from __future__ import annotations

from mlops_action.canonical import Json, canonical_bytes
from mlops_action.formats.interface import Exported
from mlops_action.formats.intoto import around
from mlops_action.formats.purl import package_urls
from mlops_action.formats.recorded import (
    Elsewhere,
    elsewhere_of,
    executed_notebooks,
    inputs_of,
    long_lists,
    many_data,
    part,
)

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://example.org/mlops-action/build/v1"
"""What the parameters mean: described in `docs/manifest.md`."""
BUILDER = "https://example.org/mlops-action"
FILE = "provenance.intoto.json"


class Slsa:
    """``provenance.intoto.json``."""

    def render(self, manifest: Json) -> Exported:
        """The statement, as canonical JSON."""
        statement = around(manifest, PREDICATE_TYPE, _predicate(manifest))
        return Exported(((FILE, canonical_bytes(statement) + b"\n"),))


def _predicate(manifest: Json) -> Json:
    observation = part(manifest, "observation")
    claims = part(manifest, "observation", "ci", "claims")
    invocation = part(claims, "run-url").get("value") or manifest["manifest-id"]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "config": part(manifest, "locator", "config") or "",
                "steps": {step["name"]: step["parameters"] for step in part(manifest, "identity", "steps") or ()},
                "gates": [gate["name"] for gate in part(manifest, "identity", "gates") or ()],
            },
            "internalParameters": {"manifest-id": manifest["manifest-id"]},
            "resolvedDependencies": _dependencies(manifest),
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"mlops-action": str(observation.get("tool", ""))}},
            "metadata": {"invocationId": invocation} | _times(observation),
            "byproducts": [
                {"name": each.path, "digest": {"sha256": each.sha256}} for each in executed_notebooks(manifest)
            ],
        },
    }


def _times(observation: Json) -> Json:
    names = {"startedOn": "started", "finishedOn": "finished"}
    return {name: observation[key] for name, key in names.items() if observation.get(key)}


def _dependencies(manifest: Json) -> list[Json]:
    source, place = part(manifest, "identity", "source"), part(manifest, "locator", "source")
    found: list[Json] = []
    if source.get("tree"):
        digest = {"gitTree": source["tree"]} | ({"gitCommit": place["commit"]} if place.get("commit") else {})
        found.append(
            {"name": "source", "digest": digest} | ({"uri": f"git+{place['remote']}"} if place.get("remote") else {})
        )
    found += [{"name": each.path, "digest": {"sha256": each.sha256}} for each in inputs_of(manifest)]
    found += [
        {"name": f"inputs of {step}/", "digest": {"dirHash": each["dirHash"]}}
        for step, each in long_lists(manifest, "inputs")
    ]
    many = many_data(manifest)
    found += [{"name": "data", "digest": {"dirHash": many["dirHash"]}}] if many else []
    found += [_elsewhere(each) for each in elsewhere_of(manifest)]
    found += [
        {"name": each["name"], "uri": url, "annotations": {"record-digest": each.get("record", "")}}
        for each, url in package_urls(manifest)
    ]
    image = part(manifest, "identity", "image").get("digest")
    if image:
        name = part(manifest, "locator", "image").get("name", "image")
        found.append({"name": name, "digest": {"sha256": image.removeprefix("sha256:")}})
    return found


def _elsewhere(each: Elsewhere) -> Json:
    parts = {"name": each.name, "uri": each.uri, "digest": each.digest}
    return {key: value for key, value in parts.items() if value}

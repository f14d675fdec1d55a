"""The manifest as an in-toto Statement v1: what was made, by digest, and the whole manifest as its predicate."""

from __future__ import annotations

from mlops_action.canonical import Json, canonical_bytes, sha256_bytes
from mlops_action.digests import readable
from mlops_action.dirhash import hash_of_lines
from mlops_action.formats.interface import Exported
from mlops_action.formats.recorded import Recorded, executed_notebooks, long_lists, outputs_of, part
from mlops_action.stores.folder import MANIFEST_FILE, STATEMENT_FILE

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://example.org/mlops-action/manifest/v1"
"""What the predicate is: a `manifest.json`, described in `docs/manifest.md`."""
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MOST_SUBJECTS = 1024
"""More are not taken by the stores of attestations; folders then stand for their files."""


class InToto:
    """``manifest.intoto.json``."""

    def render(self, manifest: Json) -> Exported:
        """The statement, as canonical JSON."""
        return Exported(((STATEMENT_FILE, canonical_bytes(statement(manifest)) + b"\n"),))


def statement(manifest: Json) -> Json:
    """The statement around a manifest."""
    return around(manifest, PREDICATE_TYPE, manifest)


def around(manifest: Json, kind: str, predicate: Json) -> Json:
    """A statement about what the run of ``manifest`` made."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects(manifest),
        "predicateType": kind,
        "predicate": predicate,
    }


def subjects(manifest: Json) -> list[Json]:
    """The outputs and executed notebooks; the manifest itself when the run left nothing else."""
    folder = part(manifest, "locator", "output-dir") or "."
    notebooks = [_placed(folder, each) for each in executed_notebooks(manifest)]
    files = [*outputs_of(manifest), *notebooks]
    many = [
        {"name": f"outputs of {step}/", "digest": {"dirHash": each["dirHash"]}} for step, each in long_lists(manifest)
    ]
    if many and len(files) + len(many) <= MOST_SUBJECTS:
        return many + [{"name": each.path, "digest": {"sha256": each.sha256}} for each in files]
    if not files:
        return [{"name": MANIFEST_FILE, "digest": {"sha256": sha256_bytes(canonical_bytes(manifest) + b"\n")}}]
    if len(files) <= MOST_SUBJECTS:
        return [{"name": each.path, "digest": {"sha256": each.sha256}} for each in files]
    return _folders(files)


def _placed(folder: str, each: Recorded) -> Recorded:
    return Recorded(each.kind, readable(f"{folder}/{each.path}") if folder != "." else each.path, each.sha256)


def _folders(files: list[Recorded]) -> list[Json]:
    """One subject for each folder at the top."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in files:
        top, _, rest = each.path.partition("/")
        found.setdefault(top, []).append((rest or top, each.sha256))
    tops = sorted(found.items())
    named = [{"name": f"{top}/", "digest": {"dirHash": hash_of_lines(inner)}} for top, inner in tops]
    whole = [(each.path, each.sha256) for each in files]
    return named if len(named) <= MOST_SUBJECTS else [{"name": "./", "digest": {"dirHash": hash_of_lines(whole)}}]


def checksums(manifest: Json) -> bytes:
    """The subjects as `sha256sum` writes them, which `actions/attest` takes as `subject-checksums`; folders aside."""
    found = [(each["digest"]["sha256"], each["name"]) for each in subjects(manifest) if "sha256" in each["digest"]]
    return "".join(f"{digest}  {name}\n" for digest, name in found if "\\" not in name).encode()

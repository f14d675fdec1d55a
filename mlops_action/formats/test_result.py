"""The verdicts as in-toto's ``test-result/v0.1``: readable by whoever knows nothing of us."""

from __future__ import annotations

from mlops_action.canonical import Json, canonical_bytes, digest_of
from mlops_action.formats.interface import Exported
from mlops_action.formats.intoto import around
from mlops_action.formats.recorded import part
from mlops_action.stores.folder import TESTS_FILE
from mlops_action.vocabulary import Outcome

PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_RESULTS = {Outcome.PASS: "PASSED", Outcome.WARN: "WARNED"}
_BLOCKING = (Outcome.FAIL, Outcome.INCONCLUSIVE)


class Results:
    """``test-result.intoto.json``; what could not be judged counts as failed."""

    def render(self, manifest: Json) -> Exported:
        """The statement; nothing when nothing was judged."""
        said = part(manifest, "results", "verdicts")
        if not said:
            return Exported(())
        return Exported(
            ((TESTS_FILE, canonical_bytes(around(manifest, PREDICATE_TYPE, _predicate(manifest, said))) + b"\n"),)
        )


def _predicate(manifest: Json, said: Json) -> Json:
    gates = part(manifest, "identity", "gates") or []
    return {
        "result": _RESULTS.get(said["outcome"], "FAILED"),
        "configuration": [
            {
                "name": part(manifest, "locator", "config") or "gates",
                "digest": {"sha256": digest_of(gates).removeprefix("sha256:")},
                "annotations": {"digest-of": "the gates in the manifest's identity, as RFC 8785 JSON"},
            }
        ],
        "passedTests": _named(said, Outcome.PASS),
        "warnedTests": _named(said, Outcome.WARN, Outcome.INFO),
        "failedTests": _named(said, *_BLOCKING),
    }


def _named(said: Json, *outcomes: Outcome) -> list[str]:
    return [each["gate"] for each in said["verdicts"] if each["outcome"] in outcomes]

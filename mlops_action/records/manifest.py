"""What is kept of a run."""

from __future__ import annotations

from mlops_action.frozen import frozen
from mlops_action.records.base import Json, documented
from mlops_action.records.manifest_shapes import DIGEST, IDENTITY, LOCATOR, OBSERVATION, RESULTS


@frozen
class Uncaptured:
    """Something that the manifest does not say, and why."""

    what: str = documented("What is missing.")
    why: str = documented("Why it could not be captured.")


@frozen
class Fact:
    """One thing collected for the manifest, split by the part that it belongs to."""

    name: str = documented("Name of the fact, a key in each part.")
    identity: Json = documented("What makes the run this run; part of the manifest's id.", default=None)
    locator: Json = documented("Where the identified things can be found.", default=None)
    observation: Json = documented("What was so, without making a difference.", default=None)
    uncaptured: tuple[Uncaptured, ...] = documented("What could not be captured.", default=())


@frozen
class Manifest:
    """The record of a run (`manifest.json`)."""

    schema: str = documented("Name and version of this format.")
    manifest_id: str = documented("`sha256:` of the RFC 8785 bytes of `identity`.", schema=DIGEST)
    identity: Json = documented("What the run was made of: code, data, parameters, environment.", schema=IDENTITY)
    locator: Json = documented("Where those can be found again: remote, commit, branch, paths.", schema=LOCATOR)
    results: Json = documented("What came out: outputs, metrics, verdicts.", schema=RESULTS)
    observation: Json = documented("Times, host and CI claims; not part of the identity.", schema=OBSERVATION)
    completeness: tuple[Uncaptured, ...] = documented("Each thing that was not captured, and why.")
    parts: dict[str, str] = documented(
        "`sha256:` of the RFC 8785 bytes of each part that the id says nothing of, by its name.", default_factory=dict
    )

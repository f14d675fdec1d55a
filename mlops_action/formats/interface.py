"""The contract of a report format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Protocol

from mlops_action.canonical import Json
from mlops_action.frozen import frozen
from mlops_action.records import Annotation, Manifest, RunResult, Verdicts

Files = tuple[tuple[str, bytes], ...]
"""Names in the output folder, with forward slashes, and what is in them."""

BINARY_SUFFIXES = (".png", ".jpg", ".gif")
"""Files that are kept as they are; all others are UTF-8 text."""


@frozen
class Account:
    """Everything that a report tells; parts that were not made are None.

    Args:
        run: what the steps did.
        verdicts: what the gates said.
        manifest: the record of the run.
        notebooks: executed notebooks as nbformat 4 dictionaries, by step; those that could not be read are absent.
    """

    run: RunResult | None
    verdicts: Verdicts | None
    manifest: Manifest | None
    notebooks: Mapping[str, Any] = field(default_factory=dict)


@frozen
class Told:
    """What other programs are told.

    Args:
        account: what happened.
        annotations: what is wrong, the worst first, with places relative to the repository.
        outputs: names and values for later CI steps.
    """

    account: Account
    annotations: tuple[Annotation, ...]
    outputs: tuple[tuple[str, str], ...]


class MachineFormat(Protocol):
    """Renders what other programs are told.

    Laws, tested for every format: the same story gives the same bytes; foreign text in it
    cannot break out of its place; a parser that is not ours reads it.
    """

    def render(self, told: Told) -> Files:
        """The one file."""


class ReportFormat(Protocol):
    """Renders an account.

    Laws, tested for every format: the same account gives the same bytes; foreign text in
    it cannot break out of its place; a failed step, its place and its error are in it.
    """

    def render(self, account: Account) -> Files:
        """The files, the one that a reader opens last: when it is there, so are the others."""


@frozen
class Exported:
    """A manifest in another form."""

    files: Files
    """Files to write."""
    payload: tuple[tuple[str, str], ...] = ()
    """Files of the project that belong beside them: name there, path in the project folder."""
    missing: tuple[str, ...] = ()
    """What the other form would need and the manifest does not know, in words."""


class ManifestExport(Protocol):
    """Writes a manifest in another form.

    Laws, tested for every export: the same manifest gives the same bytes; a validator that is
    not ours accepts them; nothing is claimed that the manifest does not say.
    """

    def render(self, manifest: Json) -> Exported:
        """The files for a checked manifest, as JSON."""

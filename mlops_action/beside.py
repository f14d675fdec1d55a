"""What lies beside a manifest: long lists of files, and the forms that others sign and store."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_action.codec import encode
from mlops_action.file_lists import lists_of
from mlops_action.formats import EXPORTS, STATEMENTS
from mlops_action.formats.intoto import checksums
from mlops_action.records import Manifest, RunResult
from mlops_action.registry import load_from
from mlops_action.stores.folder import SUBJECTS_FILE


def files_beside(manifest: Manifest, run: RunResult | None) -> Iterator[tuple[str, bytes]]:
    """Names and contents, in the order in which they are written."""
    yield from lists_of(run) if run else ()
    value = encode(manifest)
    for name in STATEMENTS:
        yield from load_from(EXPORTS, name)().render(value).files
    yield SUBJECTS_FILE, checksums(value)

"""A manifest in another form, as files in a folder."""

from __future__ import annotations

from pathlib import Path

from mlops_action.canonical import sha256_file
from mlops_action.errors import EnvironmentProblem
from mlops_action.files import write_whole
from mlops_action.formats import EXPORTS
from mlops_action.formats.recorded import last_states
from mlops_action.manifests.lock import lock_of, with_archives
from mlops_action.manifests.read import Document
from mlops_action.manifests.verify import plain_path
from mlops_action.registry import load_from

_WHOLE = ("rocrate", "cyclonedx", "openlineage")
"""Forms that name every file; the others know a digest over many."""


def export(
    document: Document, form: str, root: Path, folder: Path, lock: Path | None = None
) -> tuple[list[Path], tuple[str, ...]]:
    """Write the files of a form into ``folder``; their paths are returned, and what the form lacks.

    Raises:
        BadDocument: the lock cannot be read.
        EnvironmentProblem: a file that belongs into the export is not what was recorded.
    """
    lock = lock or lock_of(root)
    value = document.whole if form in _WHOLE else document.value
    value = with_archives(value, lock) if form == "pylock" and lock is not None else value
    exported = load_from(EXPORTS, form)().render(value)
    digests = {each.path: each.sha256 for each in last_states(document.whole)}
    written = []
    for name, path in exported.payload:
        source = document.path if name == document.path.name else root / plain_path(path)
        _copy(source, folder / plain_path(name), digests.get(path, ""))
        written.append(folder / plain_path(name))
    for name, data in exported.files:
        write_whole(folder / name, data)
        written.append(folder / name)
    return written, exported.missing


def _copy(source: Path, target: Path, digest: str) -> None:
    try:
        if digest and sha256_file(source) != digest:
            raise EnvironmentProblem("it is not what the manifest records", origin=str(source))
        write_whole(target, source.read_bytes())
    except OSError as error:
        hint = "an RO-Crate holds the files themselves: export it where they are, `--root` names the folder"
        raise EnvironmentProblem(f"it cannot be read: {error.strerror}", origin=str(source), hint=hint) from error

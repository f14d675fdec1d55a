"""The work tree as one git tree id, found without writing a byte into ``.git``.

The index is copied and brought up to date with the files; blobs are only named, not
stored; the few tree objects go to a folder that is thrown away.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from mlops_action.digests import pattern_parts
from mlops_action.errors import GitRefused
from mlops_action.facts.interface import Scene
from mlops_action.repository import Repository

_CONFIG = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.splitIndex": "false",
    "index.sparse": "false",
    "core.bigFileThreshold": "1024g",  # above it git compresses what it is only asked to name
}
"""Nothing may run, and nothing may be written beside the copy of the index."""


@contextmanager
def snapshot(repository: Repository, apart: tuple[str, ...]) -> Iterator[WorkTree]:
    """Take a snapshot of the work tree without ``apart``, pathspecs of what is no source.

    Raises:
        GitRefused: git cannot tell.
        OSError: no room for temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-action-") as folder:
        yield WorkTree(repository, apart, Path(folder))


class WorkTree:
    """A snapshot. Its objects exist only as long as the temporary folder."""

    tree: str
    """Id of the git tree."""
    nested: list[str]
    """Repositories inside the work tree that are not known to it and have no commit."""

    def __init__(self, repository: Repository, apart: tuple[str, ...], folder: Path) -> None:
        """Take the snapshot, with temporary files in ``folder``."""
        self.repository = repository
        self.apart = apart
        self._prepare(folder)
        self._update()
        self.tree = self._written(self._env["GIT_INDEX_FILE"])

    def changed(self, commit: str) -> list[str]:
        """Paths, from the top of the repository, in which the snapshot differs from ``commit``."""
        names = self._git(
            "diff-tree", "-r", "-z", "--name-only", "--no-renames", f"{commit}^{{tree}}", self.tree, *self._kept()
        )
        return _names(names)

    def knows(self, name: str) -> bool:
        """Whether an object of this id is in the repository."""
        try:
            self._git("cat-file", "-e", name)
        except GitRefused:
            return False
        return bool(name)

    def links(self) -> list[tuple[bytes, str]]:
        """Path and commit of each repository in this one."""
        entries = (entry.partition(b"\t") for entry in self._git("ls-tree", "-r", "-z", self.tree).split(b"\0"))
        return [(path, head.split()[2].decode()) for head, _, path in entries if head.startswith(b"160000")]

    def compared_with(self, tree: str) -> list[tuple[bytes, bytes]]:
        """What became of each file since ``tree``: git's letter, and the path from the top of the repository."""
        listing = self._git("diff-tree", "-r", "-z", "--name-status", "--no-renames", tree, self.tree, *self._kept())
        fields = listing.split(b"\0")[:-1]
        return list(zip(fields[::2], fields[1::2], strict=True))

    def patch_from(self, commit: str, changed: list[str]) -> bytes:
        """What leads from ``commit`` to this state, new and binary files included, as ``git apply`` takes it."""
        places = ((path, self._top / path) for path in changed)
        there = [path for path, place in places if place.is_symlink() or place.is_file()]
        self._feed(there, "--add", "--remove", "--replace", env=self._apart_env)  # this time with their contents
        return self._git("diff-tree", "-r", "-p", "--binary", "--full-index", "--no-renames", "--no-ext-diff",
                         "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", f"{commit}^{{tree}}", self.tree,
                         *self._kept())  # fmt: skip

    def patched(self, commit: str, patch: bytes) -> str:
        """Id of the tree that ``patch`` makes of ``commit``, results left out; empty when it does not apply.

        The index that it is applied to holds nothing but the commit, as in a fresh clone.
        """
        env = {**self._env, "GIT_INDEX_FILE": self._env["GIT_INDEX_FILE"] + ".patched"}
        try:
            self.repository.bytes_of("read-tree", commit, env=env)
            if patch:
                self.repository.bytes_of("apply", "--cached", "--binary", "--directory=", "-", env=env, given=patch,
                                         at=self._top)  # fmt: skip
            if self.apart:
                apart = self.repository.bytes_of("ls-files", "-z", "--cached", "--", *_specs("", self.apart), env=env)
                remove = ("update-index", "--force-remove", "-z", "--stdin")
                self.repository.bytes_of(*remove, env=env, given=apart)
            return self._written(env["GIT_INDEX_FILE"])
        except GitRefused:
            return ""

    @cached_property
    def _top(self) -> Path:
        return top_of(self.repository)

    def _prepare(self, folder: Path) -> None:
        index = self._path_of("index")
        objects = folder / "objects"
        objects.mkdir()
        self._env: Mapping[str, str] = {
            "GIT_INDEX_FILE": str(folder / "index"),
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(str(self._path_of("objects"))),
            "GIT_NO_LAZY_FETCH": "1",
            **_config_variables(),
        }
        if index.is_file():
            shutil.copy2(index, folder / "index")  # with its time: git distrusts entries that are younger
        else:
            self._git("read-tree", "HEAD")

    def _update(self) -> None:
        """Bring the copied index to the state of the files, without the results."""
        listed = _names(self._git("ls-files", "-z", "-v", "--cached", "--others", "--exclude-standard", *self._kept()))
        trusted = [entry[2:] for entry in listed if entry[0].islower()]
        if trusted:
            self._feed(trusted, "--no-assume-unchanged")
        if self.apart:
            apart = _names(self._git("ls-files", "-z", "--cached", "--", *_specs("", self.apart)))
            self._feed(apart, "--force-remove")
        paths = sorted({entry[2:] for entry in listed})
        self.nested = [path for path in paths if path.endswith("/") and not self._has_commit(path)]
        there = [path.rstrip("/") for path in paths if path not in set(self.nested)]
        self._feed(there, "--info-only", "--add", "--remove", "--replace", "--ignore-skip-worktree-entries")

    def _has_commit(self, folder: str) -> bool:
        inner = Repository(self.repository.root / folder, self.repository.env)
        return bool(inner.attempt("rev-parse", "--verify", "--quiet", "HEAD"))

    def _feed(self, paths: list[str], *options: str, env: Mapping[str, str] | None = None) -> None:
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        self.repository.bytes_of("update-index", *options, "-z", "--stdin", env=env or self._env, given=given)

    def _git(self, *arguments: str) -> bytes:
        return self.repository.bytes_of(*arguments, env=self._env)

    def _written(self, index: str) -> str:
        env = {**self._apart_env, "GIT_INDEX_FILE": index}
        return self.repository.bytes_of("write-tree", "--missing-ok", env=env).decode().strip()

    @cached_property
    def _apart_env(self) -> Mapping[str, str]:
        """Without a view of the repository's objects: git renews the time of one that it would write again."""
        return {key: value for key, value in self._env.items() if key != "GIT_ALTERNATE_OBJECT_DIRECTORIES"}

    def _path_of(self, name: str) -> Path:
        answer = self.repository.bytes_of("rev-parse", "--git-path", name)
        return (self.repository.root / os.fsdecode(answer.removesuffix(b"\n"))).absolute()

    def _kept(self) -> list[str]:
        return ["--", ":(top)", *_specs("exclude,", self.apart)]


def results_of(scene: Scene, repository: Repository) -> tuple[str, ...]:
    """Pathspecs (``magic)path``) of the declared outputs, the metric files and the output folder.

    Raises:
        GitRefused: git cannot tell where the work tree begins.
    """
    patterns = [pattern for step in scene.plan.steps for pattern in (*step.outputs, *step.metrics)]
    joined = {"/".join(parts) for parts in map(pattern_parts, patterns) if parts}
    specs = {spec for pattern in joined for spec in _glob_specs(pattern)}
    top = top_of(repository)
    output = (scene.root / scene.plan.output_dir).resolve()
    if scene.plan.output_dir and output.is_relative_to(top) and not scene.root.resolve().is_relative_to(output):
        specs.add(f"top,literal){output.relative_to(top).as_posix()}")
    return tuple(sorted(specs))


def top_of(repository: Repository) -> Path:
    """The folder where the work tree begins.

    Raises:
        GitRefused: git cannot tell.
    """
    return Path(os.fsdecode(repository.bytes_of("rev-parse", "--show-toplevel").removesuffix(b"\n"))).resolve()


def _glob_specs(pattern: str) -> tuple[str, ...]:
    """A pattern names files, or folders with all that is in them; its plain name counts as well."""
    glob = pattern.replace("\\", "\\\\")
    return (f"literal){pattern}", f"glob){glob}", f"glob){glob}/**")


def _specs(magic: str, specs: tuple[str, ...]) -> list[str]:
    return [f":({magic}{spec}" for spec in specs]


def _names(listing: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listing.split(b"\0") if name]


def _quoted(path: str) -> str:
    """A path in a list that is separated by colons."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _config_variables() -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(_CONFIG))}
    for place, (key, value) in enumerate(_CONFIG.items()):
        variables |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return variables

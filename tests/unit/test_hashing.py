"""Digests of many files, and a cache of them that no trick with times deceives."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from random import Random

import pytest

from mlops_action.dirhash import dir_hash, hash_of_lines, lines_of
from mlops_action.errors import EnvironmentProblem
from mlops_action.hashing import StatCache, states_of
from mlops_action.records import FileState

LARGE = (1 << 20) + 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    for name, size in {"empty": 0, "small": 10, "limit": 1 << 20, "large": LARGE, "larger": 3 * LARGE}.items():
        (root / name).write_bytes(os.urandom(size))
    return root


def age(folder: Path) -> None:
    """Wait until no file is young any more: a change of the clock would have to be waited for."""
    while time.time_ns() - max(path.stat().st_ctime_ns for path in folder.iterdir()) < 2_100_000_000:
        time.sleep(0.1)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def digests(folder: Path, cache: StatCache | None = None) -> dict[str, str]:
    states = states_of(folder, names(folder), cache)
    if cache is not None:
        cache.write()
    return {state.path: state.sha256 for state in states if isinstance(state, FileState)}


def truth(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_every_size_has_the_digest_that_hashlib_gives_it(folder: Path) -> None:
    assert digests(folder) == truth(folder)


def test_an_unchanged_file_that_is_not_young_is_not_read_again(folder: Path, tmp_path: Path) -> None:
    age(folder)
    digests(folder, StatCache(tmp_path / "cache"))
    cache = StatCache(tmp_path / "cache")
    assert digests(folder, cache) == truth(folder)
    assert cache.hits == len(names(folder))


def test_a_young_file_is_read_again(folder: Path, tmp_path: Path) -> None:
    digests(folder, StatCache(tmp_path / "cache"))
    cache = StatCache(tmp_path / "cache")
    digests(folder, cache)
    assert cache.hits == 0


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_same_size_edit_with_its_times_set_back_is_seen(folder: Path, tmp_path: Path, name: str) -> None:
    age(folder)
    digests(folder, StatCache(tmp_path / "cache"))
    path = folder / name
    seen = path.stat()
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert digests(folder, StatCache(tmp_path / "cache")) == truth(folder)


def test_a_file_that_another_replaces_is_seen(folder: Path, tmp_path: Path) -> None:
    age(folder)
    digests(folder, StatCache(tmp_path / "cache"))
    (folder / "new").write_bytes(os.urandom(10))
    (folder / "new").replace(folder / "small")
    assert digests(folder, StatCache(tmp_path / "cache")) == truth(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 2, "files": {"small": 1}}'])
def test_a_damaged_cache_is_no_cache(folder: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cache").write_bytes(content)
    assert digests(folder, StatCache(tmp_path / "cache")) == truth(folder)


def test_what_cannot_be_read_is_an_error_in_its_place(folder: Path) -> None:
    found = states_of(folder, ["small", "gone", "large"])
    assert [type(each) for each in found] == [FileState, FileNotFoundError, FileState]


# --- folders


def test_the_order_of_the_files_does_not_matter() -> None:
    pairs = [(f"file-{number}", f"{number:064x}") for number in range(50)]
    shuffled = Random(1).sample(pairs, len(pairs))
    assert hash_of_lines(pairs) == hash_of_lines(shuffled)


def test_one_changed_byte_gives_another_folder_digest(folder: Path) -> None:
    before = dir_hash(folder)
    (folder / "small").write_bytes(bytes(byte ^ 1 for byte in (folder / "small").read_bytes()))
    assert dir_hash(folder) != before


@pytest.mark.parametrize("name", ["line\nend", "back\\slash", "return\r"])
def test_a_name_that_the_lines_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(EnvironmentProblem, match="has no place"):
        lines_of([(name, "0" * 64)])


def test_no_two_lists_of_files_have_the_same_lines() -> None:
    one = lines_of([("a", "0" * 64), ("b", "1" * 64)])
    two = lines_of([("a\0b", "0" * 64)])
    assert one != two

"""Files are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mlops_action.errors import WriteFailed
from mlops_action.files import make_folder, owner_for, stamp, sweep_leftovers, write_whole


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "c.txt", b"data")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"data"


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "c.txt", b"one")
    write_whole(tmp_path / "c.txt", b"two")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("c.txt", b"two")]


def test_a_reader_of_the_old_file_keeps_the_old_bytes(tmp_path: Path) -> None:
    write_whole(tmp_path / "c.txt", b"old")
    with (tmp_path / "c.txt").open("rb") as reader:
        write_whole(tmp_path / "c.txt", b"new")
        assert reader.read() == b"old"


def test_a_system_without_nameless_files_is_served_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    write_whole(tmp_path / "c.txt", b"data")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("c.txt", b"data")]


def test_a_file_system_that_refuses_nameless_files_is_served_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refusing(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & getattr(os, "O_TMPFILE", 0) == getattr(os, "O_TMPFILE", -1):
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    write_whole(tmp_path / "c.txt", b"data")
    assert (tmp_path / "c.txt").read_bytes() == b"data"


def test_a_write_that_fails_leaves_the_old_file_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "c.txt", b"old")

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WriteFailed) as caught:
        write_whole(tmp_path / "c.txt", b"new")
    assert "c.txt: No space left on device" in caught.value.message
    assert "--output-dir" in caught.value.hint
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("c.txt", b"old")]


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "c.txt").mkdir()
    with pytest.raises(WriteFailed):
        write_whole(tmp_path / "c.txt", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["c.txt"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(WriteFailed):
        write_whole(tmp_path / "out" / "c.txt", b"new")


def test_files_get_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "c.txt", b"data")
    finally:
        os.umask(before)
    assert (tmp_path / "c.txt").stat().st_mode & 0o777 == 0o640


def test_leftovers_of_a_killed_run_are_swept_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    for name in (".run.json.17.tmp", "notebooks/.a.ipynb.1.tmp", "kept.tmp", ".hidden"):
        (tmp_path / name).write_text("x")
    sweep_leftovers(tmp_path)
    sweep_leftovers(tmp_path / "missing")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [".hidden", "kept.tmp"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_results_of_root_belong_to_the_owner_of_the_project(tmp_path: Path) -> None:
    assert owner_for(tmp_path) is None
    os.chown(tmp_path, 1234, 1235)
    owner = owner_for(tmp_path)
    write_whole(tmp_path / "out" / "deep" / "c.txt", b"data", owner)
    made = [tmp_path / "out", tmp_path / "out" / "deep", tmp_path / "out" / "deep" / "c.txt"]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(1234, 1235)}


def test_a_folder_that_is_there_is_made_again_without_complaint(tmp_path: Path) -> None:
    make_folder(tmp_path / "a", None)
    make_folder(tmp_path / "a", None)
    assert (tmp_path / "a").is_dir()


def test_the_stamp_changes_with_every_write(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    assert stamp(path) is None
    path.write_text("1")
    first = stamp(path)
    os.utime(path, ns=(1, 1))
    second = stamp(path)
    (tmp_path / "other").write_text("1")
    (tmp_path / "other").replace(path)
    assert len({first, second, stamp(path)}) == 3


def test_the_stamp_of_an_untouched_file_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("1")
    first = stamp(path)
    path.read_text()
    assert stamp(path) == first

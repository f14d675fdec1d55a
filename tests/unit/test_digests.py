from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.digests import file_states, find_files, readable, search, sizes_only
from mlops_action.errors import EnvironmentProblem
from mlops_action.records import FileState


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    files = {
        "data/b.csv": "bb",
        "data/a.csv": "a",
        "data/deep/er/c.csv": "ccc",
        "data/deep/notes.txt": "n",
        "data/.hidden.csv": "h",
        "data/.cache/d.csv": "d",
        "top.csv": "t",
        ".env": "e",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "outside.csv").write_text("outside")
    return root


def names(root: Path, *patterns: str) -> list[str]:
    found, missing = find_files(root, patterns)
    assert missing == []
    return [path.relative_to(root).as_posix() for path in found]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("data/a.csv", ["data/a.csv"]),
        ("./data//a.csv", ["data/a.csv"]),
        ("data/*.csv", ["data/a.csv", "data/b.csv"]),
        ("data/[ab].csv", ["data/a.csv", "data/b.csv"]),
        ("data/[!a].csv", ["data/b.csv"]),
        ("data/?.csv", ["data/a.csv", "data/b.csv"]),
        ("**/*.csv", ["data/a.csv", "data/b.csv", "data/deep/er/c.csv", "top.csv"]),
        ("data/**/c.csv", ["data/deep/er/c.csv"]),
        ("data/**/deep/**/*.csv", ["data/deep/er/c.csv"]),
        ("data", ["data/a.csv", "data/b.csv", "data/deep/er/c.csv", "data/deep/notes.txt"]),
        ("data/", ["data/a.csv", "data/b.csv", "data/deep/er/c.csv", "data/deep/notes.txt"]),
        ("data/deep/**", ["data/deep/er/c.csv", "data/deep/notes.txt"]),
        ("data/d*", ["data/deep/er/c.csv", "data/deep/notes.txt"]),
        ("data/.hidden.csv", ["data/.hidden.csv"]),
        ("data/.h*", ["data/.hidden.csv"]),
        ("data/.cache", ["data/.cache/d.csv"]),
        ("data/.cache/*", ["data/.cache/d.csv"]),
        (".env", [".env"]),
        (".", ["data/a.csv", "data/b.csv", "data/deep/er/c.csv", "data/deep/notes.txt", "top.csv"]),
    ],
)
def test_a_pattern_stands_for_these_files(project: Path, pattern: str, expected: list[str]) -> None:
    assert names(project, pattern) == expected


def test_overlapping_patterns_find_each_file_once_in_path_order(project: Path) -> None:
    assert names(project, "top.csv", "data/*.csv", "data/a.csv") == ["data/a.csv", "data/b.csv", "top.csv"]


@pytest.mark.parametrize("pattern", ["nothing.csv", "data/*.parquet", "data/a.csv/b", "no/**/x", "empty", "a\0b"])
def test_a_pattern_without_files_is_reported_as_missing(project: Path, pattern: str) -> None:
    (project / "empty").mkdir()
    found, missing = find_files(project, ["top.csv", pattern])
    assert [path.name for path in found] == ["top.csv"]
    assert len(missing) == 1
    assert missing[0].startswith(pattern)


@pytest.mark.parametrize("pattern", ["../outside.csv", "data/../../outside.csv", "/etc/passwd"])
def test_a_pattern_that_leads_out_of_the_project_is_refused(project: Path, pattern: str) -> None:
    assert find_files(project, [pattern]) == ([], [f"{pattern} (leads out of the project folder)"])


@pytest.mark.parametrize("pattern", ["data/link.csv", "data/*.csv", "**/*.csv", "data"])
def test_a_link_to_a_file_outside_is_refused_however_it_is_reached(project: Path, pattern: str) -> None:
    (project / "data/link.csv").symlink_to("../../outside.csv")
    found, missing = find_files(project, [pattern])
    assert "link.csv" not in {path.name for path in found}
    assert missing == ["data/link.csv (leads out of the project folder)"]


@pytest.mark.parametrize("pattern", ["out/x.csv", "out", "out/*", "**/x.csv"])
def test_a_link_to_a_folder_outside_is_refused_however_it_is_reached(project: Path, pattern: str) -> None:
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.csv").write_text("x")
    (project / "out").symlink_to(elsewhere)
    found, missing = find_files(project, [pattern])
    assert found == []
    assert missing == ["out (leads out of the project folder)"]


def test_a_link_inside_the_project_is_read_like_a_file(project: Path) -> None:
    (project / "latest").symlink_to("data/deep")
    (project / "one.csv").symlink_to("data/a.csv")
    assert names(project, "latest", "one.csv") == ["latest/er/c.csv", "latest/notes.txt", "one.csv"]


def test_the_project_folder_may_itself_be_a_link(project: Path) -> None:
    link = project.parent / "link"
    link.symlink_to(project)
    assert names(link, "data/*.csv") == ["data/a.csv", "data/b.csv"]


@pytest.mark.parametrize("pattern", ["data", "data/**/*.csv"])
def test_links_in_a_circle_end_and_are_told(project: Path, pattern: str) -> None:
    (project / "data/deep/up").symlink_to("..")
    found = search(project, [pattern])
    assert {"a.csv", "b.csv", "c.csv"} <= {path.name for path in found.files}
    assert all("up" not in path.parts for path in found.files)
    assert [item.what for item in found.skipped if "dot" not in item.why] == ["data/deep/up"]


def test_a_broken_link_beside_the_way_does_not_matter(project: Path) -> None:
    (project / "broken").symlink_to("gone")
    assert names(project, "*/a.csv", "**/b.csv") == ["data/a.csv", "data/b.csv"]


def test_a_link_to_itself_does_not_stop_the_search(project: Path) -> None:
    (project / "data/self").symlink_to("self")
    assert names(project, "data/**/a.csv") == ["data/a.csv"]
    assert find_files(project, ["data/self"])[1] == ["data/self (is a link to nowhere)"]


def test_a_file_larger_than_one_block_has_the_same_kind_of_digest(project: Path) -> None:
    (project / "large.bin").write_bytes(b"x" * 3_000_000)
    (state,) = file_states(project, ["large.bin"])
    assert (state.size, state.sha256) == (3_000_000, hashlib.sha256(b"x" * 3_000_000).hexdigest())


def test_a_link_to_nowhere_counts_as_missing_data(project: Path) -> None:
    (project / "data/annexed.csv").symlink_to(".git/annex/objects/gone")
    assert find_files(project, ["data/*.csv"])[1] == ["data/annexed.csv (is a link to nowhere)"]


def test_a_pipe_is_skipped_with_an_entry_and_never_opened(project: Path) -> None:
    os.mkfifo(project / "data/pipe.csv")
    found = search(project, ["data/*.csv"])
    assert [path.name for path in found.files] == ["a.csv", "b.csv"]
    assert [(item.what, item.why) for item in found.skipped] == [("data/pipe.csv", "is a device, pipe or socket")]
    assert find_files(project, ["data/pipe.csv"]) == ([], ["data/pipe.csv"])


def test_a_name_with_brackets_is_found_by_its_plain_name(project: Path) -> None:
    (project / "data/run[1].csv").write_text("1")
    assert names(project, "data/run[1].csv") == ["data/run[1].csv"]


def test_states_hold_sizes_and_the_digests_of_the_bytes(project: Path) -> None:
    states = file_states(project, ["data/*.csv"])
    assert [(state.path, state.size) for state in states] == [("data/a.csv", 1), ("data/b.csv", 2)]
    assert states[1].sha256 == hashlib.sha256(b"bb").hexdigest()


def test_sizes_come_without_reading_any_file(project: Path) -> None:
    assert [(state.size, state.sha256) for state in sizes_only(project, ["data/*.csv"])] == [(1, ""), (2, "")]


def test_a_file_that_vanishes_while_reading_is_an_error_that_names_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanished(root: Path, path: Path) -> FileState:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr("mlops_action.digests.state_of", vanished)
    with pytest.raises(EnvironmentProblem, match=r"cannot read data/a\.csv: No such file"):
        file_states(project, ["data/a.csv"])


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (b"caf\xe9.csv", "data/caf\\xe9.csv"),
        ("café ü.csv".encode(), "data/café ü.csv"),
        (b"two\nlines.csv", "data/two\nlines.csv"),
        (b"back\\slash.csv", "data/back\\\\slash.csv"),
    ],
)
def test_odd_names_are_written_so_that_json_takes_them(project: Path, raw: bytes, written: str) -> None:
    (project / "data/a.csv").rename(os.fsdecode(os.fsencode(project / "data") + b"/" + raw))
    states = file_states(project, ["data"])
    assert written in [state.path for state in states]
    json.dumps([state.path for state in states], ensure_ascii=False).encode()


@given(st.sets(st.binary(min_size=1, max_size=6).filter(lambda raw: not set(raw) & {0, 47}), max_size=6))
def test_different_names_are_never_written_alike(raws: set[bytes]) -> None:
    written = {readable(os.fsdecode(raw).replace("\\", "\\\\")) for raw in raws}
    assert len(written) == len(raws)
    for name in written:
        name.encode()


def test_many_stars_in_a_pattern_do_not_explode(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 24)
    deep.mkdir(parents=True)
    assert find_files(tmp_path, ["/".join(["**", "d"] * 12) + "/**/x.csv"])[0] == []

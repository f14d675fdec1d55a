"""Declared data that changes while the steps run is told."""

from __future__ import annotations

import os
from pathlib import Path

from mlops_action.facts.watch import Watch, with_changes
from mlops_action.records import Fact


def test_written_added_and_removed_files_are_told_and_the_others_are_not(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text("1")
    seen = (tmp_path / "a.csv").stat()
    watch = Watch(tmp_path, ["*.csv"])
    (tmp_path / "a.csv").write_text("2")
    os.utime(tmp_path / "a.csv", ns=(seen.st_atime_ns, seen.st_mtime_ns))
    (tmp_path / "b.csv").unlink()
    (tmp_path / "d.csv").write_text("new")
    assert watch.changed() == ["a.csv", "b.csv", "d.csv"]


def test_a_change_is_a_gap_of_the_fact_about_data(tmp_path: Path) -> None:
    data, other = with_changes((Fact("data"), Fact("source")), ["a.csv"])
    assert "changed during the run" in data.uncaptured[0].why
    assert other.uncaptured == ()

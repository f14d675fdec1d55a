"""What the tests of kernels in containers share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel.images import containers


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a project and a place for temporary files; no container is left that has anything in it."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "project").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    yield tmp_path
    assert containers(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []

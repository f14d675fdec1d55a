"""How numpy is loaded for gates."""

from __future__ import annotations

import os
import sys

import pytest

from mlops_action import imports


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The number of threads that numpy was loaded with, each time."""
    found: list[str | None] = []
    monkeypatch.setattr(imports, "TEXTS", ())
    monkeypatch.delitem(sys.modules, "numpy", raising=False)
    monkeypatch.delenv(imports.THREADS, raising=False)
    monkeypatch.setattr(imports.importlib, "import_module", lambda _: found.append(os.environ.get(imports.THREADS)))
    return found


def test_numpy_is_loaded_with_one_thread_and_kernels_do_not_hear_of_it(loaded: list[str | None]) -> None:
    imports.numpy_for_gates()
    assert loaded == ["1"]
    assert imports.THREADS not in os.environ


def test_a_number_of_threads_that_the_user_has_set_stays(
    loaded: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(imports.THREADS, "3")
    imports.numpy_for_gates()
    assert (loaded, os.environ[imports.THREADS]) == (["3"], "3")


def test_without_numpy_who_needs_it_tells_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    imports.numpy_for_gates()
    monkeypatch.delitem(sys.modules, "numpy", raising=False)
    monkeypatch.setattr(imports, "THREADS", "MLOPS_TEST_THREADS")
    monkeypatch.setattr(imports.importlib, "import_module", _missing)
    imports.numpy_for_gates()
    assert "MLOPS_TEST_THREADS" not in os.environ


def _missing(name: str) -> None:
    raise ImportError(name)

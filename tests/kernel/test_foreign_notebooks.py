"""Test notebooks of papermill and nbclient, from their source distributions: nbclient's outcome is ours."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mlops_action.notebooks.compare import differences
from mlops_action.notebooks.saving import strip_banner
from mlops_action.records import Comparison

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

ORACLE = Path(__file__).parents[2] / "benchmarks" / "nbclient_oracle.py"
PAPERMILL = "papermill/tests/notebooks"
NBCLIENT = "tests/files"
SELECTION = [
    *(
        ("papermill", f"{PAPERMILL}/{name}.ipynb")
        for name in ("simple_execute", "broken2", "line_magic_error", "nb_version_4.4", "sysexit1", "report_mode_test")
    ),
    *(
        ("nbclient", f"{NBCLIENT}/{name}.ipynb")
        for name in (
            "Clear Output",
            "Disable Stdin",
            "Error",
            "Factorials",
            "SVG",
            "Skip Exceptions with Cell Tags",
            "Skip Execution with Cell Tag",
            "Unicode",
            "update-display-id",
        )
    ),
]
ADDRESSES = Comparison(ignore=("0x[0-9a-f]{6,}",))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The unpacked source distribution of each package."""
    folder = tmp_path_factory.mktemp("sdists")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-binary", ":all:", "--no-deps", "papermill"]
    for package in ("papermill", "nbclient"):
        done = subprocess.run([*pip[:-1], package], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    for archive in folder.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    return {path.name.rpartition("-")[0]: path for path in folder.iterdir() if path.is_dir()}


@pytest.mark.parametrize(("package", "path"), SELECTION, ids=[Path(path).stem for _, path in SELECTION])
def test_outcome_and_outputs_are_those_of_nbclient(
    sources: dict[str, Path], tmp_path: Path, package: str, path: str
) -> None:
    notebook = sources[package] / path
    expected, expected_cell = by_nbclient(notebook, tmp_path / "theirs")
    found, found_cell = by_ours(notebook, tmp_path / "ours")
    assert found_cell == expected_cell
    strip_banner(found)
    number_places(expected)
    number_places(found)
    assert differences(expected, found, range(len(found.cells)), ADDRESSES) == ()


def by_nbclient(notebook: Path, folder: Path) -> tuple[Any, str | None]:
    """What nbclient makes of it, and the source of the cell that failed."""
    here(notebook, folder)
    output = folder / "out.ipynb"
    command = [sys.executable, str(ORACLE), "in.ipynb", str(output), "python3"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    executed = nbformat.read(output, as_version=4)
    if done.returncode == 0:
        return executed, None
    assert done.returncode == 1, done.stderr
    return executed, executed.cells[executed.metadata.oracle_cell].source


def by_ours(notebook: Path, folder: Path) -> tuple[Any, str | None]:
    """What mlops-action makes of it, and the source of the cell that failed."""
    here(notebook, folder)
    command = [sys.executable, "-m", "mlops_action.cli.main", "run", "--notebook", "in.ipynb"]
    command += ["--gates", "none", "--kernel", "python3"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in {0, 3}, done.stdout + done.stderr
    (step,) = json.loads((folder / "mlops-out" / "run.json").read_text())["steps"]
    failure = step.get("failure")
    assert bool(failure) == bool(done.returncode)
    return nbformat.read(folder / "mlops-out" / step["executed"], as_version=4), failure and failure["source"]


def here(notebook: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "in.ipynb").write_bytes(notebook.read_bytes())


def number_places(notebook: Any) -> None:
    """Old formats have no ids of cells: pair them by place."""
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"place-{place}"

"""What a repository holds that a first ``mlops.yaml`` can be made from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from mlops_action.config.options import DEFAULT_OUTPUT_DIR
from mlops_action.errors import MlopsError
from mlops_action.frozen import frozen
from mlops_action.metrics.files import read_metric_file
from mlops_action.notebooks.ipynb import kernel_name_of, peek
from mlops_action.records import MetricReading

MAX_NOTEBOOKS = 20
_LEFT_OUT = {".git", ".venv", "venv", "node_modules", ".ipynb_checkpoints", "__pycache__", DEFAULT_OUTPUT_DIR}
_METRIC_FILE = re.compile(r"""["']([\w./-]*(?:metric|score|result|eval)[\w./-]*\.(?:json|csv))["']""", re.IGNORECASE)
_ORDER = (
    "prepar|load|clean|ingest|extract|data",
    "feature|preprocess",
    "train|fit|tune",
    "eval|test|valid|score|report",
)
_REQUIREMENTS = ("requirements.txt", "requirements.lock", "pyproject.toml")


@frozen
class FoundNotebook:
    """A notebook, the kernel that it names, and the metric files that its code seems to write."""

    path: str
    kernel: str
    metrics: tuple[str, ...]


@frozen
class Survey:
    """What was found."""

    notebooks: tuple[FoundNotebook, ...]
    left_out: int
    requirements: str
    readings: tuple[MetricReading, ...]
    metrics_file: str


def survey(root: Path) -> Survey:
    """Look through a project folder; files that cannot be read are passed over."""
    paths = sorted(_notebook_files(root), key=_usual_place)
    found = [notebook for path in paths if (notebook := _notebook(root, path)) is not None]
    kept = tuple(found[:MAX_NOTEBOOKS])
    readings, metrics_file = _readings(root, kept)
    requirements = next((name for name in _REQUIREMENTS if (root / name).is_file()), "")
    return Survey(kept, len(found) - len(kept), requirements, readings, metrics_file)


def _notebook_files(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT and not name.startswith("."))
        for name in sorted(files):
            if name.endswith(".ipynb"):
                yield (Path(folder) / name).relative_to(root).as_posix()


def _usual_place(path: str) -> tuple[int, str]:
    """Sort key: numbered notebooks by their number, others by what their names say they do."""
    stem = Path(path).stem.lower()
    numbered = re.match(r"\d+", stem)
    if numbered:
        return int(numbered.group()), path
    return next((1000 + i for i, words in enumerate(_ORDER) if re.search(words, stem)), 1000 + len(_ORDER) // 2), path


def _notebook(root: Path, path: str) -> FoundNotebook | None:
    try:
        raw = peek(root / path, path)
    except MlopsError:
        return None
    names = _METRIC_FILE.findall(json.dumps(raw.get("cells", []), ensure_ascii=False).replace('\\"', '"'))
    inside = [name for name in dict.fromkeys(names) if not name.startswith("/") and ".." not in name]
    return FoundNotebook(path, kernel_name_of(raw), tuple(inside))


def _readings(root: Path, notebooks: tuple[FoundNotebook, ...]) -> tuple[tuple[MetricReading, ...], str]:
    """Numbers of the first metric file that exists already: their names make the first gates."""
    for name in (name for notebook in notebooks for name in notebook.metrics):
        try:
            return tuple(read_metric_file(root / name, name)), name
        except MlopsError:
            continue
    return (), ""

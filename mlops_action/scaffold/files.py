"""The files of ``init``: a commented ``mlops.yaml`` and a CI workflow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import PurePosixPath

from mlops_action.config.policy_model import Direction, GateSpec
from mlops_action.config.rules import direction_of
from mlops_action.records import MetricReading
from mlops_action.scaffold import TEMPLATES
from mlops_action.scaffold.survey import FoundNotebook, Survey

_GATES = 4


def workflow(system: str, requirements: str = "requirements.txt", folder: str = "") -> str:
    """The CI workflow for ``system``.

    Args:
        system: a key of ``TEMPLATES``.
        requirements: the file that lists the project's packages, or empty.
        folder: the project folder relative to the checkout, or empty.
    """
    template = files("mlops_action.scaffold").joinpath("templates", TEMPLATES[system][0]).read_text("utf-8")
    install = f"pip install {_packages(requirements)}"
    return template.replace("@INSTALL@", install).replace("@FOLDER@", f"{folder}/" if folder else "")


def _packages(requirements: str) -> str:
    if requirements == "pyproject.toml":
        return "ipykernel ."
    return f"ipykernel -r {requirements}" if requirements else "ipykernel"


def config_text(found: Survey) -> str:
    """A working ``mlops.yaml`` for what was found."""
    return "\n".join([*_head(), *_steps(found), *_gates(found)]) + "\n"


def _head() -> Iterator[str]:
    yield "# What CI runs and judges on every merge. Try it: `mlops-action plan`, then `mlops-action run`."
    yield "# All keys: docs/reference.md of mlops-action."
    yield "version: 1"
    yield ""


def _steps(found: Survey) -> Iterator[str]:
    yield "steps:"
    if not found.notebooks:
        yield "  # No notebook was found, so this is a snippet; `notebook: path.ipynb` runs a notebook."
        yield "  hello:"
        yield "    code: |"
        yield '      print("replace me")'
        return
    if found.left_out:
        yield f"  # {found.left_out} more notebooks are in the repository."
    before = ""
    for notebook, name in zip(found.notebooks, step_names(found.notebooks), strict=True):
        yield f"  {name}:"
        yield f"    notebook: {json.dumps(notebook.path)}"
        if before:
            yield f"    needs: [{before}]  # remove it where the order does not matter"
        if found.metrics_file in notebook.metrics or (notebook.metrics and not found.metrics_file):
            yield f"    metrics: [{json.dumps(found.metrics_file or notebook.metrics[0])}]"
        yield "    timeout: 30m"
        yield "    # parameters: {learning_rate: 0.1}   # set in the cell after the one tagged `parameters`"
        yield "    # inputs: [data/train.csv]            # recorded by digest"
        yield "    # outputs: [model.joblib]             # must be written, or the step fails"
        before = name


def step_names(notebooks: tuple[FoundNotebook, ...]) -> list[str]:
    """A step name for each notebook: its stem, with its folder where two stems are the same."""
    names: list[str] = []
    for notebook in notebooks:
        path = PurePosixPath(notebook.path)
        stem = _name(path.stem)
        names.append(stem if stem not in names else _name(str(path.with_suffix(""))))
    return names


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._") or "notebook"


def _gates(found: Survey) -> Iterator[str]:
    yield ""
    usable = [(reading, way) for reading in found.readings if (way := _direction(reading)) is not None]
    if not usable:
        yield "# Nothing is judged yet. Let a notebook write its metrics to a JSON file, name it under"
        yield "# `metrics:` of its step, and replace this line by gates such as:"
        yield "#   gates:"
        yield "#     accuracy-floor: {metric: accuracy, min: 0.9}"
        yield "gates: none"
        return
    yield f"# The limits are today's values in {found.metrics_file}. To compare with the branch that a merge goes to,"
    yield "# commit that file and use `max-drop: 0.01` with `baseline: git::" + found.metrics_file + "`."
    yield "gates:"
    for reading, way in usable[:_GATES]:
        rule, word = ("min", "floor") if way is Direction.HIGHER else ("max", "ceiling")
        yield f"  {_name(reading.name)}-{word}: {{metric: {json.dumps(reading.name)}, {rule}: {reading.value}}}"


def _direction(reading: MetricReading) -> Direction | None:
    if reading.value is None or not reading.value.is_finite() or reading.slice:
        return None
    return direction_of(GateSpec(metric=reading.name))

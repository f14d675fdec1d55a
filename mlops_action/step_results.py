"""What a step left behind: outputs that it promised, values and metrics."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_action.digests import file_states, find_files
from mlops_action.errors import MlopsError
from mlops_action.files import Stamp, owner_for, stamp
from mlops_action.metrics.files import metric_paths, read_metric_file
from mlops_action.metrics.notebook_values import read_json_outputs, read_values
from mlops_action.records import Failure, FileState, MetricReading, PlannedStep
from mlops_action.step_notebook import StepFailed
from mlops_action.vocabulary import FailureKind


def inputs_of(step: PlannedStep, root: Path) -> tuple[FileState, ...]:
    """The step's inputs with their digests.

    Raises:
        StepFailed: one of them does not exist.
    """
    _, unmatched = find_files(root, step.inputs)
    if unmatched:
        raise StepFailed(
            Failure(
                FailureKind.INPUT_MISSING,
                f"its input `{unmatched[0]}` does not exist",
                "correct `inputs`, or the step that should have written it",
            )
        )
    return file_states(root, step.inputs)


def check_outputs(step: PlannedStep, root: Path) -> None:
    """See that everything that was promised is there.

    Raises:
        StepFailed: it is not.
    """
    _, unmatched = find_files(root, step.outputs)
    if unmatched:
        raise StepFailed(
            Failure(
                FailureKind.OUTPUT_MISSING,
                f"it did not write its output `{unmatched[0]}`",
                "correct `outputs`, or the code that should write it; paths are relative to mlops.yaml",
            )
        )


def hand_over(step: PlannedStep, root: Path) -> None:
    """Let what the step wrote belong to the project's owner, who is somebody else in a container."""
    owner = owner_for(root)
    if owner is None:
        return
    found, _ = find_files(root, (*step.outputs, *step.metrics))
    for path in found:
        for each in (path, *path.parents):
            if each == root or not each.is_relative_to(root):
                break
            with suppress(OSError):
                os.chown(each, *owner, follow_symlinks=False)


def metric_stamps(step: PlannedStep, root: Path) -> dict[str, Stamp | None]:
    """The metric files as they are before the step, those that match a pattern already among them."""
    return {path: stamp(root / path) for name in step.metrics for path in metric_paths(name, root) or (name,)}


def readings_of(
    step: PlannedStep, root: Path, notebook: Any, before: Mapping[str, Stamp | None]
) -> tuple[MetricReading, ...]:
    """Numbers that the notebook recorded, and those in the step's metric files.

    Raises:
        StepFailed: values or a metric file cannot be read, or the file is left over from an earlier run.
    """
    try:
        readings = list(read_values(notebook, step.notebook or step.name))
    except MlopsError as error:
        raise StepFailed(Failure(FailureKind.METRIC_UNREADABLE, str(error), error.hint)) from None
    for path in [path for name in step.metrics for path in _written(name, root, before)]:
        try:
            readings += read_metric_file(root / path, path)
        except MlopsError as error:
            raise StepFailed(Failure(FailureKind.METRIC_UNREADABLE, str(error), error.hint)) from None
    readings += read_json_outputs(notebook, step.notebook or step.name, {(each.name, each.slice) for each in readings})
    named = [replace(each, step=step.name, slice=each.slice or step.variant) for each in readings]
    return tuple(_without_twins(named))


def _written(name: str, root: Path, before: Mapping[str, Stamp | None]) -> list[str]:
    """The metric files of a name or pattern that the step wrote; what lay there before is not among them.

    Raises:
        StepFailed: there is none: an old result must not be judged as a new one.
    """
    found = metric_paths(name, root)
    if found is None:
        old = [name] if before.get(name) is not None and stamp(root / name) == before[name] else []
        new = [] if old else [name]
    else:
        old = [path for path in found if before.get(path) is not None and stamp(root / path) == before[path]]
        new = [path for path in found if path not in old]
    if not new:
        said = f"`{name}` was there before the step, and the step did not write it"
        hint = "an old result must not be judged as a new one: write it in this step, or remove it from its `metrics`"
        if not old:
            said, hint = f"the step wrote no metric file that matches `{name}`", "correct the pattern under `metrics`"
        raise StepFailed(Failure(FailureKind.METRIC_UNREADABLE, said, hint))
    return new


def _without_twins(readings: Sequence[MetricReading]) -> list[MetricReading]:
    """One reading where a notebook shows a value and writes the same one to a file."""
    return list({(each.name, each.slice, each.value): each for each in readings}.values())

"""One step from its start to its result; whatever goes wrong is in the result."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_action.digests import file_states, find_files
from mlops_action.errors import EnvironmentProblem, KernelStartFailed, MlopsError, WriteFailed
from mlops_action.files import Stamp, stamp
from mlops_action.kernels.interface import Launch
from mlops_action.notebooks.digest import notebook_digest
from mlops_action.notebooks.parameters import inject, strip_injected
from mlops_action.notebooks.read import read_notebook, snippet_notebook, use_kernel
from mlops_action.notebooks.select import chosen_cells, prepare_cells
from mlops_action.records import Failure, FileState, MetricReading, Plan, PlannedStep, StepResult
from mlops_action.stores.folder import NOTEBOOKS
from mlops_action.vocabulary import FailureKind, StepStatus
from mlops_action.workshop import Workshop


class StepFailed(Exception):
    """Ends a step early with its failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class StepRun:
    """One step from its start to its result."""

    def __init__(self, plan: Plan, step: PlannedStep, workshop: Workshop, earlier: Mapping[str, StepResult]) -> None:
        self.root = Path(plan.root)
        self.step = step
        self.workshop = workshop
        self.earlier = earlier
        self.log = workshop.log.started(step)
        self.result = StepResult(
            step.name,
            StepStatus.FAILED,
            started=workshop.context.timestamp(),
            kernel=step.kernel,
            parameters=step.parameters,
        )

    def run(self) -> StepResult:
        """Run the step; whatever goes wrong is in the result."""
        begun = time.monotonic()
        try:
            self._run()
            self._note(status=StepStatus.OK)
        except StepFailed as end:
            interrupted = end.failure.kind in {FailureKind.INTERRUPTED, FailureKind.TERMINATED}
            status = StepStatus.INTERRUPTED if interrupted else StepStatus.FAILED
            self._note(status=status, failure=end.failure)
        except WriteFailed:
            raise
        except EnvironmentProblem as error:
            failure = Failure(FailureKind.ENVIRONMENT, str(error), error.hint)
            self._note(status=StepStatus.FAILED, failure=failure)
        self._note(seconds=round(time.monotonic() - begun, 3))
        self.log.finished(self.result)
        return self.result

    def _note(self, **values: Any) -> None:
        self.result = replace(self.result, **values)

    def _run(self) -> None:
        notebook, chosen = self._prepared()
        self._note(inputs_before=self._inputs_there())
        promised = (*self.step.outputs, *self.step.metrics)
        self._note(outputs_before=file_states(self.root, promised))
        before = self._metric_stamps()
        failure = self._cells(notebook, chosen)
        self._note(inputs_after=file_states(self.root, self.step.inputs))
        self._note(outputs_after=file_states(self.root, promised))
        if failure is not None:
            raise StepFailed(failure)
        self._check_outputs()
        self._note(readings=self._readings(notebook, before))

    def _prepared(self) -> tuple[Any, list[int]]:
        """The notebook in memory, with parameters, and the places of the cells that run."""
        step, kernel = self.step, self.step.kernel
        if kernel is None:
            raise StepFailed(Failure(FailureKind.KERNEL_MISSING, "its kernel is not installed"))
        try:
            if step.notebook:
                notebook = use_kernel(read_notebook(self.root / step.notebook, step.notebook), kernel)
                self._note(source=next(iter(file_states(self.root, (step.notebook,))), None))
            else:
                notebook = snippet_notebook(step.code, kernel)
            strip_injected(notebook)
            chosen = chosen_cells(notebook, step.cells, step.origin)
            self._note(notebook_digest=notebook_digest(notebook, chosen, kernel.name, kernel.language))
            values = {each.name: each.value for each in step.parameters}
            place = inject(notebook, values, kernel.language, step.origin)
        except MlopsError as error:
            raise StepFailed(Failure(FailureKind.BAD_NOTEBOOK, str(error), error.hint)) from None
        if place is not None:
            chosen = sorted([place, *(i + (i >= place) for i in chosen)])
        prepare_cells(notebook, chosen)
        self._note(cells_total=len(chosen))
        return notebook, chosen

    def _inputs_there(self) -> tuple[FileState, ...]:
        _, unmatched = find_files(self.root, self.step.inputs)
        if unmatched:
            raise StepFailed(
                Failure(
                    FailureKind.INPUT_MISSING,
                    f"its input `{unmatched[0]}` does not exist",
                    "correct `inputs`, or the step that should have written it",
                )
            )
        return file_states(self.root, self.step.inputs)

    def _cells(self, notebook: Any, chosen: Sequence[int]) -> Failure | None:
        """Run the cells and keep the notebook, however far it came."""
        from mlops_action.kernels.execution import NotebookRun

        if self.step.kernel is None:
            raise AssertionError("a step without a kernel is refused before")
        launch = Launch(self.step.kernel, self.root, self.workshop.environment)
        run = NotebookRun(self.workshop.kernels, launch, self.log.text)
        try:
            seconds = self.step.limits.timeout_seconds
            outcome = asyncio.run(run.run(notebook, chosen, seconds, self.workshop.interrupt))
        except KernelStartFailed as error:
            return Failure(FailureKind.KERNEL_START, error.message, error.hint)
        finally:
            import nbformat

            name = f"{NOTEBOOKS}/{self.step.name}.ipynb"
            self.workshop.store.write_text(name, nbformat.writes(notebook))
            self._note(executed=name, cells_run=run.completed)
        failure: Failure | None = outcome.failure
        if (
            failure is not None
            and self.workshop.interrupt.number == signal.SIGTERM
            and failure.kind is FailureKind.INTERRUPTED
        ):
            return replace(failure, kind=FailureKind.TERMINATED, message="the CI system ended the run (SIGTERM)")
        return failure

    def _check_outputs(self) -> None:
        _, unmatched = find_files(self.root, self.step.outputs)
        if unmatched:
            raise StepFailed(
                Failure(
                    FailureKind.OUTPUT_MISSING,
                    f"it did not write its output `{unmatched[0]}`",
                    "correct `outputs`, or the code that should write it; paths are relative to mlops.yaml",
                )
            )

    def _metric_stamps(self) -> dict[str, Stamp | None]:
        return {path: stamp(self.root / path) for path in self.step.metrics}

    def _readings(self, notebook: Any, before: Mapping[str, Stamp | None]) -> tuple[MetricReading, ...]:
        """Values that the notebook recorded, and those in its metric files."""
        from mlops_action.metrics.files import read_metric_file
        from mlops_action.metrics.notebook_values import read_values

        readings = list(read_values(notebook, self.step.notebook or self.step.name))
        for path in self.step.metrics:
            try:
                if before[path] is not None and stamp(self.root / path) == before[path]:
                    raise StepFailed(
                        Failure(
                            FailureKind.METRIC_UNREADABLE,
                            f"`{path}` was there before the step, and the step did not write it",
                            "an old result must not be judged as a new one: write the file in this step, or remove it "
                            "from its `metrics`",
                        )
                    )
                readings += read_metric_file(self.root / path, path)
            except MlopsError as error:
                raise StepFailed(Failure(FailureKind.METRIC_UNREADABLE, str(error), error.hint)) from None
        return tuple(replace(reading, step=self.step.name) for reading in _without_twins(readings))


def _without_twins(readings: Sequence[MetricReading]) -> list[MetricReading]:
    """One reading where a notebook shows a value and writes the same one to a file."""
    seen: dict[tuple[str, str, object], MetricReading] = {}
    for reading in readings:
        seen[reading.name, reading.slice, reading.value] = reading
    return list(seen.values())

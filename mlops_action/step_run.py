"""One step from its start to its result; whatever goes wrong is in the result."""

from __future__ import annotations

import asyncio
import copy
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_action.cache_key import Made
from mlops_action.canonical import sha256_file
from mlops_action.digests import file_states
from mlops_action.errors import EnvironmentProblem, WriteFailed
from mlops_action.kernels.interface import Launch
from mlops_action.notebooks.deterministic import make_deterministic
from mlops_action.notebooks.digest import outputs_digest
from mlops_action.notebooks.saving import Saver, notebook_bytes, with_banner
from mlops_action.notebooks.values import recorded_values
from mlops_action.records import CellResult, Failure, Plan, PlannedStep, StepResult
from mlops_action.step_cache import StepCache
from mlops_action.step_notebook import Prepared, StepFailed, prepare
from mlops_action.step_results import check_outputs, hand_over, inputs_of, metric_stamps, readings_of
from mlops_action.stores.folder import NOTEBOOKS
from mlops_action.vocabulary import CellStatus, FailureKind, StepStatus
from mlops_action.workshop import Workshop

_STOPPED = {FailureKind.INTERRUPTED, FailureKind.TERMINATED}


class StepRun:
    """One step from its start to its result."""

    def __init__(self, plan: Plan, step: PlannedStep, workshop: Workshop, earlier: Mapping[str, StepResult]) -> None:
        """Begin the step's part of the log; ``earlier`` are the results of the steps before."""
        self.root = Path(plan.root)
        self.step = step
        self.workshop = workshop
        self.earlier = earlier
        self.log = workshop.log.started(step)
        self.begun = time.monotonic()
        self.result = self._fresh(1)
        self.cache = StepCache(plan, step, workshop)

    def run(self) -> StepResult:
        """Run the step, and again as far as its ``retry`` allows.

        Raises:
            WriteFailed: the executed notebook cannot be kept.
        """
        for attempt in range(1, self.step.retry.times + 2):
            self.result = self._fresh(attempt)
            self._attempt()
            failure = self.result.failure
            if failure is None or str(failure.kind) not in self.step.retry.on or self.workshop.interrupt:
                break
            if attempt <= self.step.retry.times:
                self.log.note(f"attempt {attempt} failed ({failure.message}); it is tried again")
        self._note(cached=self.cache.keep(self.result))
        self._note(seconds=round(time.monotonic() - self.begun, 3))
        self.log.finished(self.result)
        return self.result

    def _fresh(self, attempt: int) -> StepResult:
        return StepResult(
            self.step.name,
            StepStatus.FAILED,
            started=self.workshop.context.timestamp(),
            kernel=self.step.kernel,
            parameters=self.step.parameters,
            variant=self.step.variant,
            attempts=attempt,
        )

    def _note(self, **values: Any) -> None:
        self.result = replace(self.result, **values)

    def _attempt(self) -> None:
        try:
            self._run()
            self._note(status=StepStatus.OK)
        except StepFailed as end:
            status = StepStatus.INTERRUPTED if end.failure.kind in _STOPPED else StepStatus.FAILED
            self._note(status=status, failure=end.failure)
        except WriteFailed:
            raise
        except EnvironmentProblem as error:
            self._note(failure=Failure(FailureKind.ENVIRONMENT, str(error), error.hint))

    def _run(self) -> None:
        step, root = self.step, self.root
        prepared = prepare(step, root, self.earlier, self.workshop.context.env)
        source = file_states(root, (step.notebook or step.file,)) if step.notebook or step.file else ()
        parameters = tuple(replace(each, value=prepared.values[each.name]) for each in step.parameters)
        self._note(
            notebook_digest=prepared.digest,
            source=next(iter(source), None),
            parameters=parameters,
            cells_total=len(prepared.chosen),
            inputs_before=inputs_of(step, root),
            outputs_before=file_states(root, (*step.outputs, *step.metrics)),
        )
        found = self.cache.lookup(Made(step, self.result, prepared.notebook, prepared.chosen))
        if found is not None:
            self.result = found
            return
        before = metric_stamps(step, root)
        failure = self._cells(prepared)
        hand_over(step, root)
        self._note(
            inputs_after=file_states(root, step.inputs),
            outputs_after=file_states(root, (*step.outputs, *step.metrics)),
        )
        if failure is not None:
            raise StepFailed(failure)
        self._compare(prepared)
        check_outputs(step, root)
        self._record(prepared, before)

    def _compare(self, prepared: Prepared) -> None:
        """Compare the outputs with those that the notebook has saved, when the step asks for it.

        Raises:
            StepFailed: they differ.
        """
        if self.step.compare is None:
            return
        from mlops_action.notebooks.compare import differences

        found = differences(prepared.saved, prepared.notebook, prepared.chosen, self.step.compare)
        self._note(differences=found)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise StepFailed(
                Failure(
                    FailureKind.OUTPUTS_DIFFER,
                    f"its outputs are not those that are saved in the notebook: {found[0].what}{more}",
                    "look at the differences in the report; save the notebook anew when they are meant",
                    cell=found[0].cell,
                    cell_id=found[0].cell_id,
                )
            )

    def _cells(self, prepared: Prepared) -> Failure | None:
        """Run the cells; the notebook is kept as it goes, and however far it came."""
        from mlops_action.kernels.execution import Hooks, NotebookRun

        step, notebook = self.step, prepared.notebook
        if step.kernel is None:
            raise AssertionError("a step without a kernel is refused before")
        saver = Saver(lambda: self._save(notebook))
        titles = [_title(cell) for cell in notebook.cells]
        running: list[int] = []

        def cell(number: int, count: int, index: int) -> None:
            self.log.cell(number, count, titles[index])
            prepared.exchange(index)
            running[:] = [index]

        def reached() -> None:
            index = running.pop()
            prepared.exchange(index)
            if index != prepared.chosen[-1]:  # what follows the last one is the whole notebook
                saver.reached()

        workshop = self.workshop
        launches = {
            label: Launch(choice, self.root, workshop.environments[choice.environment])
            for label, choice in {**step.interpreters, "": step.kernel}.items()
        }
        hooks = Hooks(self.log.text, cell, reached)
        run = NotebookRun(workshop.kernels, launches, step.limits, hooks, workshop.interrupt)
        failure: Failure | None = None
        try:
            outcome = asyncio.run(run.run(notebook, prepared.chosen, allow_errors=step.allow_errors))
            failure = self._terminated(outcome.failure)
        finally:
            for index in running:  # the cell that failed still holds the secret
                prepared.exchange(index)
            cells = tuple(replace(each, title=titles[each.index]) for each in run.cells)
            self._note(cells=cells, cells_run=_ended_well(cells))
            self._save(with_banner(notebook, failure) if failure is not None else notebook)
            self._note(outputs_digest=outputs_digest(notebook, self.workshop.redactor.text))
        return failure

    def _terminated(self, failure: Failure | None) -> Failure | None:
        """Tell the CI system's signal from the keyboard's."""
        if failure is None or failure.kind is not FailureKind.INTERRUPTED:
            return failure
        if self.workshop.interrupt.number != signal.SIGTERM:
            return failure
        return replace(failure, kind=FailureKind.TERMINATED, message="the CI system ended the run (SIGTERM)")

    def _save(self, notebook: Any) -> None:
        name = f"{NOTEBOOKS}/{self.step.name}.ipynb"
        if self.step.deterministic:
            notebook = copy.deepcopy(notebook)
            make_deterministic(notebook)
        written = self.workshop.store.write_text(name, notebook_bytes(notebook))
        kept = Path(written)  # a session keeps its notebook elsewhere, and whole
        self._note(executed=name, executed_sha256=sha256_file(kept) if kept.is_file() else "")

    def _record(self, prepared: Prepared, before: Mapping[str, Any]) -> None:
        """Values and metrics of a step that ran to its end."""
        values, large = recorded_values(prepared.notebook)
        if large:
            self.log.note(f"values that are too large to be kept: {', '.join(large)}; write them to files")
        self._note(values=values, readings=readings_of(self.step, self.root, prepared.notebook, before))


def _ended_well(cells: tuple[CellResult, ...]) -> int:
    return sum(cell.status is not CellStatus.FAILED for cell in cells)


def _title(cell: Any) -> str:
    """A few words that tell a cell from the others: its name, else its first line."""
    name = cell.get("metadata", {}).get("name")
    if isinstance(name, str) and name:
        return name
    return next((line.strip() for line in cell["source"].splitlines() if line.strip()), "")[:60]

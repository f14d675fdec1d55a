"""A step's notebook before it runs: read, cells chosen, parameters injected, secrets set aside."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_action.errors import MlopsError
from mlops_action.notebooks import language_key
from mlops_action.notebooks.digest import notebook_digest
from mlops_action.notebooks.parameters import inject, parameters_label, parameters_source, strip_injected
from mlops_action.notebooks.read import code_file_notebook, read_notebook, snippet_notebook, use_kernel
from mlops_action.notebooks.saving import strip_banner
from mlops_action.notebooks.select import chosen_cells, prepare_cells
from mlops_action.notebooks.values import look_up
from mlops_action.records import Failure, KernelChoice, PlannedStep, StepResult
from mlops_action.redact import MASK
from mlops_action.vocabulary import FailureKind


class StepFailed(Exception):
    """Ends a step early with its failure."""

    def __init__(self, failure: Failure) -> None:
        """Carry ``failure`` to the step's result."""
        super().__init__(failure.message)
        self.failure = failure


@dataclass
class Prepared:
    """A notebook that is ready to run.

    Secret parameters are not in it: while the cell at ``secret_cell`` runs, its source is
    exchanged for ``secret_source``.
    """

    notebook: Any
    chosen: list[int]
    digest: str
    saved: Any = None
    """A copy with the outputs that the file holds, where they will be compared."""
    values: dict[str, Any] = field(default_factory=dict)
    """Parameters by name with their final values, secrets masked."""
    secret_cell: int | None = None
    secret_source: str = ""

    def exchange(self, index: int) -> None:
        """Put the secret source in place, or away again, when the cell is the secret one."""
        if index == self.secret_cell:
            cell = self.notebook.cells[index]
            cell.source, self.secret_source = self.secret_source, cell.source


def prepare(step: PlannedStep, root: Path, earlier: Mapping[str, StepResult], env: Mapping[str, str]) -> Prepared:
    """Read and prepare the step's notebook, snippet or code file.

    Raises:
        StepFailed: it cannot be read, a value that it needs was not recorded, or a parameter
            cannot be written in its language.
    """
    if step.kernel is None:
        raise StepFailed(Failure(FailureKind.KERNEL_MISSING, "its kernel is not installed"))
    real = {each.name: each.value for each in step.parameters}
    real |= {each.name: _recorded(each.reference, earlier) for each in step.parameters if each.reference}
    masked = real | {each.name: MASK for each in step.parameters if each.secret}
    real |= {each.name: env.get(each.secret, "") for each in step.parameters if each.secret}
    try:
        notebook = _read(step, root, step.kernel)
        strip_banner(notebook)
        strip_injected(notebook)
        chosen = chosen_cells(notebook, step.cells, step.origin)
        prepared = Prepared(notebook, chosen, notebook_digest(notebook, chosen, step.kernel.name, step.kernel.language))
        prepared.values = masked
        kernel = step.interpreters.get(parameters_label(notebook["cells"]), step.kernel)
        language = language_key(kernel.name, kernel.language)
        place = inject(notebook, masked, language, step.origin)
        if masked != real:
            prepared.secret_cell = place
            prepared.secret_source = parameters_source(notebook["cells"], real, language, step.origin)
    except MlopsError as error:
        raise StepFailed(Failure(FailureKind.BAD_NOTEBOOK, str(error), error.hint)) from None
    if place is not None:
        prepared.chosen = sorted([place, *(i + (i >= place) for i in chosen)])
    prepared.saved = copy.deepcopy(notebook) if step.compare else None
    prepare_cells(notebook, prepared.chosen)
    return prepared


def _read(step: PlannedStep, root: Path, kernel: KernelChoice) -> Any:
    if step.notebook:
        return use_kernel(read_notebook(root / step.notebook, step.notebook), kernel)
    if step.file:
        return code_file_notebook(root / step.file, step.file, kernel)
    return snippet_notebook(step.code, kernel)


def _recorded(reference: str, earlier: Mapping[str, StepResult]) -> Any:
    """The value that an earlier step recorded."""
    step, _, name = reference.removeprefix("steps.").partition(".values.")
    values = earlier[step].values if step in earlier else {}
    try:
        return look_up(values, name)
    except KeyError:
        known = ", ".join(f"`{each}`" for each in values) or "nothing"
        raise StepFailed(
            Failure(
                FailureKind.INPUT_MISSING,
                f"step `{step}` recorded no value `{name}` (it recorded {known})",
                "let its notebook display the value; see docs/notebooks.md, Values",
            )
        ) from None

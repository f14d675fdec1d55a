"""What the notebooks of the steps declare as their parameters."""

from __future__ import annotations

from mlops_action.config.load import Loaded
from mlops_action.errors import MlopsError
from mlops_action.notebooks import language_key
from mlops_action.notebooks.declared import declared_parameters
from mlops_action.notebooks.languages.interface import Declared
from mlops_action.notebooks.parameters import parameters_label
from mlops_action.notebooks.read import outline
from mlops_action.records import KernelChoice

Signature = tuple[Declared, ...] | None
"""Declared parameters; None where any parameter may be given."""


def signature_of(loaded: Loaded, step: str, kernels: dict[str, KernelChoice]) -> Signature:
    """What the notebook of a step declares.

    None for snippets and code files, for a notebook without a ``parameters`` cell or with one
    that cannot be read, and for a file that is no notebook, which is told elsewhere.

    Args:
        loaded: the configuration.
        step: name of the step.
        kernels: its kernels by what the notebook calls them, the step's own under an empty name.
    """
    notebook = loaded.spec.steps[step].notebook
    if not notebook:
        return None
    try:
        found = outline(loaded.root / notebook, notebook)
    except MlopsError:
        return None
    kernel = kernels.get(parameters_label(found.cells))
    key = language_key(kernel.name, kernel.language) if kernel else language_key("", found.language)
    return declared_parameters(found.cells, key)

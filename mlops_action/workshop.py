"""The parts that steps are run with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

from mlops_action.context import Context
from mlops_action.executors.interface import Executor
from mlops_action.frozen import frozen
from mlops_action.kernels.interface import KernelStarter
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.records import Fact, PlannedStep, StepResult
from mlops_action.redact import Redactor
from mlops_action.stores.interface import Store


class StepLog(Protocol):
    """Is told what happens in one step, as it happens; from one thread at a time."""

    def text(self, text: str) -> None:
        """Its notebook printed something."""

    def cell(self, number: int, count: int, title: str) -> None:
        """It comes to its cell ``number`` of ``count``."""

    def note(self, line: str) -> None:
        """Something of ours that people should know, such as another attempt."""

    def finished(self, result: StepResult) -> None:
        """It ended."""


class RunLog(Protocol):
    """Is told which steps start."""

    def started(self, step: PlannedStep) -> StepLog:
        """A step begins; what happens in it is told to the log that is returned."""


@frozen
class Workshop:
    """Everything that a run needs beside its plan."""

    context: Context
    kernels: KernelStarter
    executor: Executor
    store: Store
    log: RunLog
    redactor: Redactor
    interrupt: Interrupt
    environments: Mapping[str, Mapping[str, str]]
    """What kernels see, by the name of their environment."""
    facts: tuple[Fact, ...] = field(default=())

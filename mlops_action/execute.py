"""Plan → RunResult: steps through kernels; a failure is a value."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlops_action import __version__
from mlops_action.codec import map_text
from mlops_action.config.values import duration_text
from mlops_action.executors.interface import StepBroke
from mlops_action.kernels.interrupt import Interrupt, signals_set
from mlops_action.records import Plan, PlannedStep, RunResult, StepResult
from mlops_action.step_cache import prune
from mlops_action.step_run import StepRun
from mlops_action.vocabulary import RUN_SCHEMA
from mlops_action.workshop import Workshop


class RunBroke(Exception):
    """Something other than a step failed; the cause is ``__cause__``.

    Args:
        run: what was done in spite of it.
    """

    def __init__(self, run: RunResult) -> None:
        super().__init__("the run could not be brought to an end")
        self.run = run


def execute(plan: Plan, workshop: Workshop) -> RunResult:
    """Run the steps of a plan. Failures of steps are in the result, not raised.

    Raises:
        RunBroke: an executed notebook cannot be kept, or there is a bug.
    """
    started = workshop.context.timestamp()

    def run_one(step: PlannedStep, earlier: Mapping[str, StepResult]) -> StepResult:
        return StepRun(plan, step, workshop, earlier).run()

    with signals_set(workshop.interrupt), time_limit(plan.timeout_seconds, workshop.interrupt):
        try:
            results = workshop.executor.run_all(plan.steps, run_one, workshop.interrupt)
        except StepBroke as broke:
            raise RunBroke(_run_of(plan, workshop, started, broke.results)) from broke.__cause__
    prune(plan, workshop)
    return _run_of(plan, workshop, started, results)


@contextmanager
def time_limit(seconds: int, interrupt: Interrupt) -> Iterator[None]:
    """Set ``interrupt``, without a signal's number, when what is inside takes longer; 0 is without limit."""
    if not seconds:
        yield
        return
    timer = threading.Timer(seconds, interrupt.set, [f"the time for all steps ({duration_text(seconds)}) was over"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _run_of(plan: Plan, workshop: Workshop, started: str, results: tuple[StepResult, ...]) -> RunResult:
    run = RunResult(
        schema=RUN_SCHEMA,
        tool=__version__,
        started=started,
        finished=workshop.context.timestamp(),
        plan=plan,
        steps=results,
        facts=workshop.facts,
        environment=tuple(sorted({name for seen in workshop.environments.values() for name in seen})),
    )
    redacted: RunResult = map_text(run, workshop.redactor.text)
    return redacted

"""Plan → RunResult: steps through kernels; a failure is a value."""

from __future__ import annotations

from mlops_action import __version__
from mlops_action.codec import map_text
from mlops_action.kernels.interrupt import signals_set
from mlops_action.records import Plan, RunResult
from mlops_action.step_run import StepRun
from mlops_action.vocabulary import RUN_SCHEMA
from mlops_action.workshop import Workshop


def execute(plan: Plan, workshop: Workshop) -> RunResult:
    """Run the steps of a plan. Failures of steps are in the result, not raised.

    Raises:
        WriteFailed: an executed notebook cannot be kept.
    """
    started = workshop.context.timestamp()
    with signals_set(workshop.interrupt):
        results = workshop.executor.run_all(
            plan.steps, lambda step, earlier: StepRun(plan, step, workshop, earlier).run(), workshop.interrupt
        )
    run = RunResult(
        schema=RUN_SCHEMA,
        tool=__version__,
        started=started,
        finished=workshop.context.timestamp(),
        plan=plan,
        steps=results,
        facts=workshop.facts,
        environment=tuple(sorted(workshop.environment)),
    )
    redacted: RunResult = map_text(run, workshop.redactor.text)
    return redacted

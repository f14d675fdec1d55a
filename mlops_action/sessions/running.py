"""A snippet in a session: run by the engine like any step, and written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mlops_action.ci.console import Console
from mlops_action.context import Context
from mlops_action.execute import execute
from mlops_action.executors import EXECUTORS
from mlops_action.frozen import frozen
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.progress import ProgressLog
from mlops_action.records import Plan, RunResult
from mlops_action.redact import Redactor
from mlops_action.registry import load_from
from mlops_action.sessions.attach import SessionKernels
from mlops_action.sessions.found import Found
from mlops_action.sessions.notebook import SessionNotebook
from mlops_action.workshop import Workshop


@dataclass
class KeptInMind:
    """A store for what is written elsewhere in the end."""

    redactor: Redactor
    texts: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Nothing was kept before."""

    def write(self, name: str, data: bytes) -> str:
        """Keep nothing but notebooks."""
        del data
        return name

    def write_text(self, name: str, text: str) -> str:
        """Keep the latest text, secrets masked."""
        self.texts[:] = [self.redactor.text(text)]
        return name


@frozen
class Command:
    """One command in a session.

    Args:
        found: the session.
        context: the world.
        console: the log.
        redactor: knows the secrets.
        about: which CI step it is, and when it began.
        idle: a new idle time-out, or 0.
    """

    found: Found
    context: Context
    console: Console
    redactor: Redactor
    about: dict[str, Any]
    idle: int = 0

    def run(self, plan: Plan) -> RunResult:
        """Run the only step of ``plan``; it is in the session's notebook before and after.

        Raises:
            WriteFailed: the notebook cannot be kept.
        """
        found, step = self.found, plan.steps[0]
        notebook, mind = SessionNotebook(found.place.notebook, self.redactor.text), KeptInMind(self.redactor)
        number = notebook.begin(step.code or f"# {step.file}", self.about)
        environment = found.record.kernel.environment
        with ProgressLog(self.console, 1) as log:
            workshop = Workshop(
                context=self.context,
                kernels=SessionKernels(found.place, found.name, found.secrets, self.idle),
                executor=load_from(EXECUTORS, "local")(note=self.console.say),
                store=mind,
                log=log,
                redactor=self.redactor,
                interrupt=Interrupt(),
                environments={environment: {}},
            )
            run = execute(plan, workshop)
        result = run.steps[0]
        how = {"status": str(result.status), "seconds": result.seconds}
        if result.failure is not None:
            how |= {"failure": str(result.failure.kind), "message": result.failure.message}
        if found.place.notebook.exists():  # else the session was stopped and cleared away meanwhile
            notebook.end(number, mind.texts[-1] if mind.texts else "", how)
        return run

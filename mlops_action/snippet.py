"""``mlops-action snippet``: code from the command line, in a fresh kernel or in a session's."""

from __future__ import annotations

import os
import secrets as chance
from dataclasses import replace
from functools import cached_property

from mlops_action.ci.console import Console
from mlops_action.config.adhoc import load_snippet, refuse_beside_session
from mlops_action.config.load import Loaded
from mlops_action.ending import exit_code
from mlops_action.errors import ExitCode, Problems, SessionUnusable, UsageError
from mlops_action.formats.interface import Account
from mlops_action.frozen import frozen
from mlops_action.kernels.interface import Launch
from mlops_action.kernels.interface import Place as KernelPlace
from mlops_action.kernels.places import kind_of
from mlops_action.pipeline import Pipeline
from mlops_action.plan import Planner
from mlops_action.records import KernelChoice, Plan, PlannedStep, RunResult
from mlops_action.redact import Redactor, is_secret_name
from mlops_action.report import report
from mlops_action.sessions.found import Found, clear, find, path_near, remove_forgotten
from mlops_action.sessions.identity import step_of
from mlops_action.sessions.shelf import SCHEMA, Place, SessionRecord, Shelf, make_private
from mlops_action.stores.folder import FolderStore
from mlops_action.vocabulary import FailureKind

_OUTPUTS = {"verdict", "failed-gates", "values"}


class Snippet(Pipeline):
    """A pipeline of one snippet that nothing is judged by."""

    @cached_property
    def loaded(self) -> Loaded:
        """The snippet as the only step, in the environments of the configuration around it."""
        return load_snippet(self.settings, self.context.cwd)

    def run(self) -> ExitCode:
        """Run it, in the session when one is named."""
        if not self.settings.options.session:
            return super().run()
        refuse_beside_session(self.settings)
        if os.getpid() == 1:  # of a container, all of which ends with it
            raise UsageError(
                "a session would end with this command, which is the first process of its container",
                origin=self.settings.origin("session"),
                hint="run the command inside a container that goes on: not in a container action, but in a job with "
                "`container:`, or by the composite action",
            )
        shelf = Shelf.of(self.loaded.root, self.context.env)
        place = shelf.place(self.settings.options.session)
        make_private(shelf.base)
        remove_forgotten(shelf)
        from mlops_action.sessions.lock import locked

        with locked(place.lock, self._say_waiting):
            return InSession(self, shelf, place).run()

    def _say_waiting(self, holder: str) -> None:
        self.console.say(f"session {self.settings.options.session} is in use by {holder}: waiting for its end")

    def planned_with(self, kernel: KernelChoice | None) -> PlannedStep:
        """The step, in ``kernel`` when the session has one already.

        Raises:
            Problems: something is missing.
        """
        finding = self.kernels if kernel is None else _Only(kernel)
        plan, problems = Planner(self.loaded, self.settings, finding, self.context.env).plan()
        if problems:
            raise Problems(problems)
        return plan.steps[0]


@frozen
class _Only:
    """Finds one kernel, whatever is asked for."""

    kernel: KernelChoice

    def find(self, name: str, environment: str = "") -> KernelChoice:
        """The kernel of the session."""
        del name, environment
        return self.kernel


@frozen
class InSession:
    """One command in one session, which nobody else uses meanwhile."""

    pipeline: Snippet
    shelf: Shelf
    place: Place

    def run(self) -> ExitCode:
        """Start the session when there is none, run the snippet, note what it did."""
        found = self._usable(find(self.place, to_use=True))
        step = self._step(found)
        if found is None:
            found = self._started(step)
        console, redactor = self._console(found)
        run, began = self._executed(found, step, console, redactor), found.state == "new"
        failure = run.steps[0].failure
        if began and failure is not None and failure.kind is FailureKind.KERNEL_START:
            self._clear(replace(found, state="ended"))  # it never answered: there is no session
        self._emit(run, console)
        after = find(self.place)
        if after is not None and after.state == "ended":
            console.say(f"session {found.name} has ended: {after.how}", f"      hint: {_anew(found.name)}")
        return exit_code(run, None)

    def _usable(self, found: Found | None) -> Found | None:
        """The session, unless it has ended.

        Raises:
            SessionUnusable: it has.
        """
        if found is None or found.state in {"idle", "busy"}:
            return found
        if found.state == "ended":
            raise SessionUnusable(f"session `{found.name}` has ended: {found.how}", hint=_anew(found.name))
        kept = self._clear(found)
        where = f"; its notebook is {kept}" if kept else ""
        raise SessionUnusable(
            f"session `{found.name}` is gone: {found.how}. What it left was removed{where}",
            hint="what its cells had made is lost: run them again; the next command starts the session anew",
        )

    def _clear(self, found: Found) -> str:
        options, root = self.pipeline.settings.options, self.pipeline.loaded.root
        from mlops_action.sessions.control import STOP, ask

        ask(self.place.control, {"do": STOP}, to_the_end=True)
        return path_near(clear(found, FolderStore(root, options.output_dir, self.pipeline.redactor)), root)

    def _step(self, found: Found | None) -> PlannedStep:
        """The step in the session's kernel; the command may name it again, but no other.

        Raises:
            UsageError: it names another kernel or environment, or a variable that the kernel does not see.
        """
        pipeline, options = self.pipeline, self.pipeline.settings.options
        if found is None:
            return pipeline.planned_with(None)
        own = found.record.kernel
        other = self._other_kernel(own)
        if other:
            raise UsageError(
                f"session `{found.name}` runs in kernel `{own.label}` ({own.argv[0]})",
                origin=pipeline.settings.origin(other),
                hint=f"leave that out, use another session, or stop this one: `mlops-action session stop {found.name}`",
            )
        unseen = sorted(set(options.pass_env) - set(found.record.variables)) if options.pass_env else []
        unseen = [name for name in unseen if "*" not in name and name in pipeline.context.env]
        if unseen:
            raise UsageError(
                f"the kernel of session `{found.name}` does not see {', '.join(unseen)}",
                origin=pipeline.settings.origin("pass_env"),
                hint="its variables are those of the command that started it: name them there",
            )
        return pipeline.planned_with(own)

    def _other_kernel(self, own: KernelChoice) -> str:
        """The option that asks for another kernel than the session's, or empty."""
        options = self.pipeline.settings.options
        if options.environment and options.environment != own.environment:
            return "environment"
        if options.kernel and options.kernel.lower() != own.name.lower():
            return "kernel"
        if options.python:
            asked = self.pipeline.planned_with(None).kernel
            return "python" if asked is not None and asked.argv[0] != own.argv[0] else ""
        return ""

    def _started(self, step: PlannedStep) -> Found:
        """A new session."""
        from mlops_action.sessions.start import start
        from mlops_action.sessions.supervisor import Begin
        from mlops_action.sessions.watch import TOKEN

        pipeline, options = self.pipeline, self.pipeline.settings.options
        if step.kernel is None:
            raise AssertionError("a step without a kernel is refused before")
        if step.kernel.where == "gateway":
            raise UsageError("a session cannot be on a gateway", hint="run its snippets as the cells of one notebook")
        kernel = pipeline.kernels.prepare(step.kernel, pipeline.console.say)
        spec = pipeline.kernels.specs[kernel.environment]
        seen = pipeline.kernels.variables(options.pass_env)[kernel.environment]
        token = chance.token_hex(16)
        record = SessionRecord(
            schema=SCHEMA,
            name=options.session,
            root=self.shelf.root,
            job=self.shelf.job,
            kernel=kernel,
            variables=tuple(sorted(seen)),
            idle=options.idle or spec.idle,
            started=pipeline.context.timestamp(),
            token=token,
        )
        launch = Launch(kernel, pipeline.loaded.root, {**seen, TOKEN: token})
        place = KernelPlace(spec, pipeline.loaded.root, pipeline.context.env)
        start(Begin(record, self.place.folder, kind_of(spec), place, launch), pipeline.context.env)
        given = [value for name, value in seen.items() if is_secret_name(name)]
        return Found(self.place, record, "new", secrets=tuple(given))

    def _console(self, found: Found) -> tuple[Console, Redactor]:
        """The log; secrets of earlier commands are masked as well."""
        pipeline = self.pipeline
        redactor = Redactor([*pipeline.redactor.values, *found.secrets])
        own = pipeline.console
        console = Console(own.out, own.system, redactor, pipeline.context.env)
        console.conceal()
        return console, redactor

    def _executed(self, found: Found, step: PlannedStep, console: Console, redactor: Redactor) -> RunResult:
        from mlops_action.sessions.running import Command

        context, options = self.pipeline.context, self.pipeline.settings.options
        given = [context.env.get(each.secret, "") for each in step.parameters if each.secret]
        given += [str(each.value) for each in step.parameters if is_secret_name(each.name) and each.value is not None]
        step = replace(step, name=found.name, kernel=found.record.kernel)
        plan = Plan("", str(self.pipeline.loaded.root), options.output_dir, (step,), ())
        about = {"step": step_of(context.env, options.label), "started": context.timestamp()}
        known = replace(found, secrets=tuple({*found.secrets, *filter(None, given)}))
        return Command(known, context, console, redactor, about, options.idle).run(plan)

    def _emit(self, run: RunResult, console: Console) -> None:
        """Annotations, summary and outputs; the files of a run are left alone."""
        options = self.pipeline.settings.options
        emissions = report(Account(run, None, None), options.output_dir, self.pipeline.prefix(run.plan))
        outputs = tuple(each for each in emissions.outputs if each[0] in _OUTPUTS)
        emissions = replace(emissions, outputs=outputs, files=(), summary=emissions.summary if options.summary else "")
        console.say(*console.system.publish(emissions, self.pipeline.context, options.annotations))


def _anew(name: str) -> str:
    return f"`mlops-action session stop {name}` clears it away and keeps its notebook; then the session can start anew"

"""The chosen cells of one notebook through its kernels: until one fails, time is over, or someone interrupts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mlops_action.errors import KernelStartFailed
from mlops_action.frozen import frozen
from mlops_action.kernels import failures
from mlops_action.kernels.guard import preparation_for
from mlops_action.kernels.interface import HURRY_SECONDS, KernelStarter, Launch
from mlops_action.kernels.interrupt import Interrupt
from mlops_action.kernels.memory import OomWatch
from mlops_action.kernels.outputs import OutputBudget
from mlops_action.kernels.session import Session, failure_despite_ok
from mlops_action.kernels.usage import UsageMeter
from mlops_action.notebooks.cells import kernel_label
from mlops_action.records import CellResult, Failure, StepLimits
from mlops_action.vocabulary import CellStatus, FailureKind

INTERRUPT_SECONDS = 3.0
TICK_SECONDS = 0.2
_CALM_EXITS = {"", "0", "None"}


@frozen
class Hooks:
    """What the run tells while it goes on."""

    text: Callable[[str], None]
    """Is given what the notebook prints, as it arrives."""
    cell: Callable[[int, int, int], None] = lambda *_: None
    """Number of the cell, of how many, and its place."""
    reached: Callable[[], None] = lambda: None
    """A cell has ended; the notebook may be saved."""


@frozen
class CellsRun:
    """How far the cells came."""

    cells: tuple[CellResult, ...]
    failure: Failure | None


class _Stopped(Exception):
    """Ends the run with a failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class NotebookRun:
    """Runs cells of one notebook.

    Args:
        backend: where the kernels run.
        launches: what they are started with, by the name that cells give them; the main
            kernel has an empty name.
        limits: how long and how large it may become.
        hooks: what it tells while it goes on.
        interrupt: stops it.
    """

    def __init__(
        self,
        backend: KernelStarter,
        launches: Mapping[str, Launch],
        limits: StepLimits,
        hooks: Hooks,
        interrupt: Interrupt,
    ) -> None:
        """Prepare; nothing is started yet."""
        self.backend = backend
        self.launches = launches
        self.limits = limits
        self.hooks = hooks
        self.interrupt = interrupt
        self.budget = OutputBudget(limits.max_output, limits.max_notebook_output)
        self.sessions: dict[str, Session] = {}
        self.cells: list[CellResult] = []
        self.deadline = float("inf")
        self.oom = OomWatch()
        self.hurried = False

    async def run(self, notebook: Any, chosen: Sequence[int], *, allow_errors: bool = False) -> CellsRun:
        """Run the cells at ``chosen`` in order.

        The notebook is changed in place and holds whatever was reached. Failures of the
        notebook and of its kernels are values.
        """
        if self.limits.timeout_seconds:
            self.deadline = time.monotonic() + self.limits.timeout_seconds
        failure: Failure | None = None
        try:
            with self.interrupt.event() as asked:
                await self._all(notebook, chosen, asked, allow_errors)
        except _Stopped as end:
            failure = end.failure
        finally:
            await asyncio.gather(
                *(session.close(hurried=self.hurried, on_text=self.hooks.text) for session in self.sessions.values())
            )
        return CellsRun(tuple(self.cells), failure)

    async def _all(self, notebook: Any, chosen: Sequence[int], asked: asyncio.Event, allow_errors: bool) -> None:
        stop = asyncio.ensure_future(asked.wait())
        try:
            for number, index in enumerate(chosen, start=1):
                cell = notebook.cells[index]
                label = kernel_label(cell)
                session = await self._session(label if label in self.launches else "", notebook, stop)
                session.client.allow_errors = allow_errors
                self.hooks.cell(number, len(chosen), index)
                await self._cell(session, index, number, stop, last=number == len(chosen))
                self.hooks.reached()
        finally:
            stop.cancel()

    async def _session(self, label: str, notebook: Any, stop: asyncio.Future[Any]) -> Session:
        """The kernel of that name, started when it is first needed; as in Zeppelin, each name has one of its own."""
        if label in self.sessions:
            return self.sessions[label]
        session = self.sessions[label] = await self._begin(self.launches[label], notebook)
        process = session.process
        work = asyncio.ensure_future(self._start(session))
        ended = await self._race(work, session, stop, time.monotonic() + self.limits.start_timeout_seconds)
        if work.done() and work.exception() is None:
            return session
        if ended == "stop":
            work.cancel()
            raise _Stopped(failures.interrupted(self.interrupt))
        if work.done():
            why = process.ended_by() or "it did not answer"
        else:
            work.cancel()
            why = ended or f"no answer within {self.limits.start_timeout_seconds} s"
        raise _Stopped(failures.no_start(session.launch.choice, why, process.stray_text()))

    async def _begin(self, launch: Launch, notebook: Any) -> Session:
        """A kernel whose process runs, and a client for it."""
        try:
            process = self.backend.start(launch)
            try:
                # Imported while the kernel starts: both take their time.
                from mlops_action.kernels.client import CellClient

                manager = await process.connect()
                client = CellClient(notebook, manager, self.budget, self.hooks.text)
            except BaseException:
                await process.stop(HURRY_SECONDS)
                raise
        except KernelStartFailed as error:
            raise _Stopped(Failure(FailureKind.KERNEL_START, error.message, error.hint)) from None
        return Session(launch, process, manager, client)

    async def _start(self, session: Session) -> None:
        await session.client.ready(session.process, self.limits.start_timeout_seconds)
        session.meter = UsageMeter(session.process.pid)
        session.client.prepare(preparation_for(session.launch.choice))

    async def _race(
        self, work: asyncio.Future[Any], session: Session, stop: asyncio.Future[Any], deadline: float
    ) -> str:
        """Wait for ``work``; else tell what came first: ``stop``, how the process ended, or empty for the time."""
        work.add_done_callback(_look_at)
        while not work.done():
            left = min(TICK_SECONDS, deadline - time.monotonic())
            if left <= 0:
                return ""
            await asyncio.wait({work, stop}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                break
            if stop.done():
                return "stop"
            if session.process.ended_by():
                await asyncio.wait({work}, timeout=TICK_SECONDS)
                return session.process.ended_by()
            session.meter.look()
        return ""

    async def _cell(self, session: Session, index: int, number: int, stop: asyncio.Future[Any], *, last: bool) -> None:
        """Run one cell and note how it ended.

        Raises:
            _Stopped: it is the last one that runs.
        """
        cell = session.client.nb.cells[index]
        session.client.next_cell()
        session.meter.begin()
        begun = time.monotonic()
        cell_seconds = self.limits.cell_timeout_seconds or float("inf")
        work = asyncio.ensure_future(session.client.async_execute_cell(cell, index, execution_count=number))
        ended = await self._race(work, session, stop, min(self.deadline, begun + cell_seconds))
        failure: Failure | None = None
        if work.done():
            failure = self._outcome(session, work, cell, last=last)
        elif ended in {"", "stop"}:
            in_time = time.monotonic() < self.deadline
            await self._give_up(work, session)
            failure = (
                failures.interrupted(self.interrupt)
                if ended == "stop"
                else failures.too_long(self.limits, cell_only=in_time)
            )
        else:
            work.cancel()
            failure = self._died(session, ended)
        session.client.mark_cut(cell)
        status = CellStatus.FAILED if failure else self._status(session)
        self._note(session, index, begun, status)
        if failure is not None:
            raise _Stopped(failures.placed(failure, index, cell, session.client.reply.get("execution_count")))

    def _note(self, session: Session, index: int, begun: float, status: CellStatus) -> None:
        cpu, peak = session.meter.end()
        self.cells.append(
            CellResult(
                index=index,
                id=session.client.nb.cells[index].get("id", ""),
                status=status,
                seconds=round(time.monotonic() - begun, 3),
                cpu_seconds=cpu,
                peak_memory=peak,
                output_cut=self.budget.cut,
            )
        )

    def _status(self, session: Session) -> CellStatus:
        return CellStatus.ALLOWED if session.client.reply.get("status") == "error" else CellStatus.OK

    def _outcome(self, session: Session, work: asyncio.Future[Any], cell: Any, *, last: bool) -> Failure | None:
        """What an ended cell means.

        A calm ``sys.exit`` in the last cell leaves nothing undone; anywhere else it is an error.
        """
        from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError

        try:
            work.result()
        except CellExecutionError as error:
            if last and error.ename == "SystemExit" and str(error.evalue).strip() in _CALM_EXITS:
                return None
            return failures.raised(error, session.launch.choice)
        except (DeadKernelError, CellControlSignal):
            return self._died(session, session.process.ended_by() or "its process is gone")
        return failure_despite_ok(session, cell, last=last)

    async def _give_up(self, work: asyncio.Future[Any], session: Session) -> None:
        """Interrupt the cell, so that what it printed and where it was are kept; then stop waiting for it."""
        self.hurried = True
        with suppress(Exception):  # an interrupt that fails changes nothing: the kernel is stopped next
            await asyncio.wait_for(_awaited(session.manager.interrupt_kernel()), INTERRUPT_SECONDS)
        await asyncio.wait({work}, timeout=INTERRUPT_SECONDS)
        if not work.done():
            work.cancel()
            await asyncio.wait({work}, timeout=INTERRUPT_SECONDS)

    def _died(self, session: Session, how: str) -> Failure:
        how = (self.oom.verdict() or how) if "SIGKILL" in how else how
        return failures.died(how, session.process.stray_text())


def _look_at(work: asyncio.Future[Any]) -> None:
    """Look at the exception of work that nobody waits for any more, so that it is not reported as forgotten."""
    if not work.cancelled():
        work.exception()


async def _awaited(something: Any) -> Any:
    return await something if hasattr(something, "__await__") else something

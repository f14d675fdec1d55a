"""What the log says while steps run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

from mlops_action.ci.console import Console
from mlops_action.ci.kept_text import KeptText
from mlops_action.ci.terminal import can_draw, display
from mlops_action.config.values import duration_text
from mlops_action.records import PlannedStep, StepResult
from mlops_action.sanitize import gutter_lines, inline

BEAT_SECONDS = 30.0
"""After so long without a word the log says what is running."""


@dataclass
class Running:
    """Where a step is."""

    label: str
    """``[3/20]``."""
    name: str
    since: float
    cell: int = 0
    count: int = 0
    title: str = ""

    def how_far(self, now: float, *, titled: bool = False) -> str:
        """``cell 3 of 9, 1m30s``."""
        title = f" ({inline(self.title)})" if titled and self.title else ""
        cell = f"cell {self.cell} of {self.count}{title}, " if self.count else ""
        return f"{cell}{duration_text(now - self.since)}"


class ProgressLog:
    """Tells a run's story; a context that keeps the log alive while steps run.

    With one job the text of a step is shown as it comes. With more it is kept, and shown whole
    when the step ends.
    """

    def __init__(self, console: Console, count: int, jobs: int = 1, beat: float = BEAT_SECONDS) -> None:
        """Tell of ``count`` steps, ``jobs`` at once, on ``console``."""
        self.console = console
        self.count = count
        self.jobs = jobs
        self.beat = beat
        self.number = 0
        self._running: list[Running] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._alive = ExitStack()

    def __enter__(self) -> ProgressLog:
        """Begin to draw what runs, or to say it from time to time."""
        self._over.clear()
        if can_draw(self.console):
            self._alive.enter_context(display(self.console, self._rows))
        else:
            thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            thread.start()
            self._alive.callback(thread.join)
            self._alive.callback(self._over.set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the drawing; a group that is still open is closed."""
        self._alive.close()
        self.console.end()

    def started(self, step: PlannedStep) -> LiveStep | KeptStep:
        """Open the step's part of the log."""
        with self._lock:
            self.number += 1
            running = Running(f"[{self.number}/{self.count}]", step.name, time.monotonic())
            self._running.append(running)
        what = step.notebook or step.file or "snippet"
        kernel = step.kernel.label if step.kernel else "no kernel"
        title = f"{running.label} {step.name}: {inline(what)} ({kernel})"
        if self.jobs == 1:
            self.console.begin(title)
            return LiveStep(self.console, running, self._forget)
        if not can_draw(self.console):
            self.console.say(f"{running.label} {step.name}: started")
        return KeptStep(self.console, running, self._forget, title)

    def _forget(self, running: Running) -> None:
        with self._lock:
            self._running.remove(running)

    def _rows(self) -> list[tuple[str, str]]:
        now = time.monotonic()
        with self._lock:
            shown = [(f"{each.label} {each.name}", each.how_far(now, titled=True)) for each in self._running]
        return [(name, self.console.redactor.text(how_far)) for name, how_far in shown]

    def _beat(self) -> None:
        """Say what runs whenever nothing was said for a while, so that a silent notebook does not look dead."""
        while not self._over.wait(max(0.01, self.beat - self.console.quiet_seconds())):
            if self.console.quiet_seconds() < self.beat:
                continue
            now = time.monotonic()
            with self._lock:
                words = [f"{each.name} ({each.how_far(now)})" for each in self._running]
            if words:
                self.console.say(f"      still running: {', '.join(words)}")


class _StepProgress:
    """What the two kinds of a step's log have in common."""

    def __init__(self, console: Console, running: Running, forget: Callable[[Running], None]) -> None:
        self.console = console
        self.running = running
        self.forget = forget

    def cell(self, number: int, count: int, title: str) -> None:
        """It comes to another cell."""
        self.running.cell, self.running.count, self.running.title = number, count, title


class LiveStep(_StepProgress):
    """Tells what happens in the only step that runs, as it happens."""

    def text(self, text: str) -> None:
        """Text that the notebook printed."""
        self.console.foreign(text)

    def note(self, line: str) -> None:
        """A line of ours in between."""
        self.console.foreign(f"{line}\n")

    def finished(self, result: StepResult) -> None:
        """Close the step's part and say how it ended, outside of it."""
        self.forget(self.running)
        self.console.end()
        ended = f"      {_mark(self.console, result)}"
        if result.failure is None:
            how = f" in {duration_text(result.seconds)}{_cells(result)}"
        else:
            how = f"{_place(result)}: {inline(result.failure.message)}"
        self.console.say(ended + how, *_details(result))


class KeptStep(_StepProgress):
    """Keeps what happens in one of several steps, and tells all of it when it ends."""

    def __init__(self, console: Console, running: Running, forget: Callable[[Running], None], title: str) -> None:
        """Tell it under ``title``."""
        super().__init__(console, running, forget)
        self.title = title
        self.kept = KeptText(console.redactor)

    def text(self, text: str) -> None:
        """Text that the notebook printed."""
        self.kept.feed(text)

    def note(self, line: str) -> None:
        """A line of ours in between."""
        self.kept.feed(f"{line}\n")

    def finished(self, result: StepResult) -> None:
        """Tell the step's part as one piece, and how it ended."""
        self.forget(self.running)
        how = f" {duration_text(result.seconds)}{_cells(result)}"
        if result.failure is not None:
            how = f" {duration_text(result.seconds)}{_place(result)}: {inline(result.failure.message)}"
        ended = f"{self.running.label} {_mark(self.console, result)} {result.name}{how}"
        lines = self.kept.lines()
        first = next(lines, None)
        if first is None:
            self.console.say(ended, *_details(result))
        else:
            self.console.group(self.title, _with(first, lines), [ended, *_details(result)])


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _mark(console: Console, result: StepResult) -> str:
    return console.paint("ok", "ok") if result.failure is None else console.paint(str(result.status), "failed")


def _cells(result: StepResult) -> str:
    return f", {result.cells_run} of {result.cells_total} cells" if result.cells_total > 1 else ""


def _place(result: StepResult) -> str:
    failure = result.failure
    if failure is None or failure.cell is None:
        return ""
    line = f", line {failure.line}" if failure.line else ""
    return f" in cell {failure.cell} (id {inline(failure.cell_id)}){line}"


def _details(result: StepResult) -> list[str]:
    """What to know beside the line on the end."""
    lines = [f"      cache: {inline(result.cached)}"] if result.cached else []
    failure = result.failure
    if failure is None:
        return lines
    for part in (failure.source, failure.traceback):
        lines += gutter_lines(part) if part else []
    return [*lines, f"      hint: {inline(failure.hint)}"] if failure.hint else lines

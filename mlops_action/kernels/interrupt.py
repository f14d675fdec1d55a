"""A request to stop, seen by every thread and event loop of the process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from mlops_action.vocabulary import FailureKind

if TYPE_CHECKING:
    import asyncio


class Interrupt:
    """Set once, by a signal or by whoever gives up on the run."""

    def __init__(self) -> None:
        """Nothing has been asked for yet."""
        self.number = 0
        self.reason = ""
        self._lock = threading.RLock()  # a signal may arrive while its own thread holds it
        self._listeners: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        """Whether the run shall stop."""
        return bool(self.reason)

    @property
    def kind(self) -> FailureKind:
        """What became of a step that was stopped: without a signal it is the time that was over."""
        if not self.number:
            return FailureKind.TIMED_OUT
        return FailureKind.TERMINATED if self.number == signal.SIGTERM else FailureKind.INTERRUPTED

    def set(self, reason: str, number: int = 0) -> None:
        """Ask everyone to stop; the first reason counts."""
        with self._lock:
            if not self.reason:
                self.number, self.reason = number, reason
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    @contextmanager
    def event(self) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set with this interrupt."""
        import asyncio

        event, loop = asyncio.Event(), asyncio.get_running_loop()

        def listener() -> None:
            with suppress(RuntimeError):  # the loop has just ended, and with it whoever waited
                loop.call_soon_threadsafe(event.set)

        with self._lock:
            self._listeners.append(listener)
        if self:
            event.set()
        try:
            yield event
        finally:
            with self._lock:
                self._listeners.remove(listener)


@contextmanager
def signals_set(interrupt: Interrupt) -> Iterator[None]:
    """While inside, SIGINT and SIGTERM set ``interrupt`` instead of ending the process.

    A second SIGINT does what it does outside: someone is in a hurry. Only the main thread
    can take signals; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def on_signal(number: int, _: FrameType | None) -> None:
        if interrupt and number == signal.SIGINT:
            signal.signal(signal.SIGINT, before[signal.SIGINT])
        interrupt.set(signal.Signals(number).name, number)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, on_signal)
    try:
        yield
    finally:
        for restored, handler in before.items():
            signal.signal(restored, handler)

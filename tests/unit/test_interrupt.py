"""One interrupt for all threads."""

from __future__ import annotations

import asyncio
import signal
import threading

from mlops_action.kernels.interrupt import Interrupt, signals_set


def test_the_first_reason_counts() -> None:
    interrupt = Interrupt()
    assert not interrupt
    interrupt.set("SIGTERM", 15)
    interrupt.set("SIGINT", 2)
    assert interrupt
    assert (interrupt.reason, interrupt.number) == ("SIGTERM", 15)


def test_a_signal_sets_it_and_the_handlers_come_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    interrupt = Interrupt()
    with signals_set(interrupt):
        signal.raise_signal(signal.SIGTERM)
    assert interrupt.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_leaves_the_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def inside() -> None:
        with signals_set(Interrupt()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [before]


def test_an_event_is_set_at_once_when_it_was_asked_for_before() -> None:
    interrupt = Interrupt()
    interrupt.set("time")
    assert asyncio_free(interrupt)


def asyncio_free(interrupt: Interrupt) -> bool:
    """An event of a loop that is stepped by hand: unit tests open no sockets, and loops do."""

    class Loop:
        def call_soon_threadsafe(self, call: object) -> None: ...

    asyncio._set_running_loop(Loop())  # type: ignore[arg-type]
    try:
        with interrupt.event() as event:
            return event.is_set()
    finally:
        asyncio._set_running_loop(None)
